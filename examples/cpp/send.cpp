// send: sends a message to any server, from the command line.
//
//     send --server mail.example --port 25 --from me@a.example --to you@b.example --subject Hi --text "Hello" --verbose
#include "ssmtp.hpp"

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

static int usage() {
    std::cerr << "usage: send --server HOST [--port N] --from ADDRESS --to ADDRESS[,ADDRESS]\n"
                 "            [--cc …] [--bcc …] [--subject TEXT] [--text TEXT] [--verbose]\n";
    return 2;
}

int main(int argc, char **argv) {
    const std::vector<std::string> args(argv + 1, argv + argc);
    if (args.empty()) {
        return usage();
    }
    try {
        ssmtp::Ssmtp smtp;
        // A refused recipient that does not stop the message.
        smtp.on_error([](const ssmtp::ErrorEvent &e) {
            std::cerr << "warning " << e.error_code << ": " << e.description << '\n';
        });
        for (std::size_t i = 0; i < args.size(); ++i) {
            const std::string &name = args[i];
            if (name == "--verbose") {
                smtp.on_pi_trail([](const ssmtp::PiTrailEvent &e) {
                    std::cerr << (e.direction == 0 ? "--> " : e.direction == 1 ? "<-- " : " *  ") << e.message << '\n';
                });
                continue;
            }
            if (++i == args.size()) {
                return usage();
            }
            const std::string &value = args[i];
            if (name == "--server") {
                smtp.mail_server(value);
            } else if (name == "--port") {
                smtp.mail_port(std::atoi(value.c_str()));
            } else if (name == "--from") {
                smtp.from(value);
            } else if (name == "--to") {
                smtp.send_to(value);
            } else if (name == "--cc") {
                smtp.cc(value);
            } else if (name == "--bcc") {
                smtp.bcc(value);
            } else if (name == "--subject") {
                smtp.subject(value);
            } else if (name == "--text") {
                smtp.message_text(value);
            } else {
                return usage();
            }
        }
        smtp.send();
        std::cout << "sent\n";
    } catch (const ssmtp::error &e) {
        std::cerr << "error " << e.code() << ": " << e.what() << '\n';
        return 1;
    }
}
