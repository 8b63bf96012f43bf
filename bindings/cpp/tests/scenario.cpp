// scenario HOST PORT: sends the scenario message, the one that every language's test sends, to a server.
#include "scenario.hpp"

#include <cstdlib>
#include <iostream>

int main(int argc, char **argv) {
    if (argc != 3) {
        std::cerr << "usage: scenario HOST PORT\n";
        return 2;
    }
    try {
        ssmtp::Ssmtp smtp;
        smtp.mail_server(argv[1]).mail_port(std::atoi(argv[2]));
        fill(smtp);
        smtp.send();
    } catch (const ssmtp::error &e) {
        std::cerr << "error " << e.code() << ": " << e.what() << '\n';
        return 1;
    }
    std::cout << "sent\n";
}
