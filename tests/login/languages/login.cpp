// Logs in, sends a message, and prints what it saw of the conversation. usage: login HOST PORT USER PASSWORD
#include "ssmtp.hpp"

#include <cstdlib>
#include <iostream>

int main(int argc, char **argv) {
    if (argc != 5) {
        return 2;
    }
    try {
        ssmtp::Ssmtp smtp;
        smtp.on_pi_trail([](ssmtp::PiTrailEvent &e) { std::cout << e.direction << ' ' << e.message << '\n'; });
        smtp.mail_server(argv[1]).mail_port(std::atoi(argv[2]));
        smtp.user(argv[3]).password(argv[4]).auth_mechanism(ssmtp::AuthMechanism::CRAM_MD5);
        smtp.from("alice@client.example").send_to("bob@server.example").message_text("Hello\r\n");
        smtp.send();
        std::cout << "sent\n";
    } catch (const ssmtp::error &e) {
        std::cout << "error " << e.code() << ": " << e.what() << '\n';
        return 1;
    }
}
