// quickstart HOST:PORT: sends a message and shows the conversation.
#include "ssmtp.hpp"

#include <cstdlib>
#include <iostream>
#include <string>

int main(int argc, char **argv) {
    const std::string target = argc > 1 ? argv[1] : "";
    const auto colon = target.rfind(':');
    if (colon == std::string::npos) {
        std::cerr << "usage: quickstart HOST:PORT\n";
        return 2;
    }
    try {
        ssmtp::Ssmtp smtp;
        smtp.mail_server(target.substr(0, colon)).mail_port(std::atoi(target.c_str() + colon + 1));
        smtp.from("\"Quick Start\" <me@client.example>").send_to("you@server.example");
        smtp.subject("Hello from libssmtp").message_text("This message came out of a C++ program.\r\n\r\nBye!\r\n");
        smtp.on_pi_trail([](const ssmtp::PiTrailEvent &e) {
            std::cout << (e.direction == 0 ? "  --> " : e.direction == 1 ? "  <-- " : "   *  ") << e.message << '\n';
        });

        std::cout << "libssmtp " << ssmtp::version() << " sends a message to " << target << ":\n\n";
        smtp.send();
        std::cout << "\nsent\n";
    } catch (const ssmtp::error &e) {
        std::cerr << "\nerror " << e.code() << ": " << e.what() << '\n';
        return 1;
    }
}
