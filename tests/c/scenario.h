/* The scenario message: the same in every language, byte for byte. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "ssmtp.h"

#define SCENARIO_FROM "\"Zo\xC3\xAB Sender\" <sender@client.example>"
#define SCENARIO_TO "alice@postfix.test"
#define SCENARIO_CC "\"Bob, Esq.\" <bob@postfix.test>"
#define SCENARIO_BCC "carol@postfix.test"
#define SCENARIO_SUBJECT "Gr\xC3\xBC\xC3\x9F" "e \xE2\x80\x93 scenario"
#define SCENARIO_DATE "Sun, 22 Nov 2026 12:00:00 +0000"
#define SCENARIO_ID "<scenario@client.example>"
#define SCENARIO_HEADERS "X-Scenario: 1"
#define SCENARIO_TEXT \
    "First line\r\n" \
    ".leading dot\r\n" \
    "..two dots\r\n" \
    "\r\n" \
    "\xC3\x9Cn\xC3\xAF" "c\xC3\xB6" "d\xC3\xA9 text\r\n" \
    "last line\r\n"

#endif
