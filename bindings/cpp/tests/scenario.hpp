// The scenario message: the same in every language, byte for byte.
#ifndef SSMTP_TESTS_SCENARIO_HPP
#define SSMTP_TESTS_SCENARIO_HPP

#include "ssmtp.hpp"

/// Sets everything but the server.
inline void fill(ssmtp::Ssmtp &smtp) {
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
}

#endif
