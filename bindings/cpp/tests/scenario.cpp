// scenario HOST PORT: sends the scenario message, the one that every language's test sends, to a server.
#include "ssmtp.hpp"

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
        smtp.from("\"Zoë Sender\" <sender@client.example>");
        smtp.send_to("alice@postfix.test");
        smtp.cc("\"Bob, Esq.\" <bob@postfix.test>");
        smtp.bcc("carol@postfix.test");
        smtp.subject("Grüße – scenario");
        smtp.message_date("Sun, 22 Nov 2026 12:00:00 +0000");
        smtp.message_id("<scenario@client.example>");
        smtp.other_headers("X-Scenario: 1");
        smtp.message_text("First line\r\n"
                          ".leading dot\r\n"
                          "..two dots\r\n"
                          "\r\n"
                          "Ünïcödé text\r\n"
                          "last line\r\n");
        smtp.send();
    } catch (const ssmtp::error &e) {
        std::cerr << "error " << e.code() << ": " << e.what() << '\n';
        return 1;
    }
    std::cout << "sent\n";
}
