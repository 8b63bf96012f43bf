// Logs in with a token that has expired, and gives another one when it is asked. usage: renew HOST PORT USER STALE GOOD
#include "ssmtp.hpp"

#include <cstdlib>
#include <iostream>

int main(int argc, char **argv) {
    if (argc != 6) {
        return 2;
    }
    try {
        ssmtp::Ssmtp smtp;
        smtp.on_token_wanted([&](ssmtp::TokenWantedEvent &e) {
            std::cout << "asked for " << e.user << '\n';
            smtp.config(std::string("AuthorizationIdentity=Bearer ") + argv[5]);
        });
        smtp.mail_server(argv[1]).mail_port(std::atoi(argv[2]));
        smtp.user(argv[3]).auth_mechanism(ssmtp::AuthMechanism::XOAUTH2);
        smtp.config(std::string("AuthorizationIdentity=") + argv[4]);
        smtp.connect();
        std::cout << "logged in\n";
        smtp.disconnect();
    } catch (const ssmtp::error &e) {
        std::cout << "error " << e.code() << ": " << e.what() << '\n';
        return 1;
    }
}
