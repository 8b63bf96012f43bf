/* Logs in with each of a list of mechanisms, deletes the handle, and looks through this process's own memory for the password,
 * in Base64 and UTF-16 too: what the library was given must be gone. The program itself holds them only with every bit turned over.
 * usage: wiped PORT USER RIGHT|WRONG MECHANISM…
 * A mechanism may be proxy=TYPE:PORT:AUTHENTICATION: the login is then at a proxy of that FirewallType, on the way to PORT. */
#include <ssmtp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "correct-Horse 7 battery-Staple 9 stable-Door 11", turned over; the last letter is another one when the
 * login is to fail. */
static const unsigned char TURNED[] = {
    0x9c, 0x90, 0x8d, 0x8d, 0x9a, 0x9c, 0x8b, 0xd2, 0xb7, 0x90, 0x8d, 0x8c, 0x9a, 0xdf, 0xc8, 0xdf,
    0x9d, 0x9e, 0x8b, 0x8b, 0x9a, 0x8d, 0x86, 0xd2, 0xac, 0x8b, 0x9e, 0x8f, 0x93, 0x9a, 0xdf, 0xc6,
    0xdf, 0x8c, 0x8b, 0x9e, 0x9d, 0x93, 0x9a, 0xd2, 0xbb, 0x90, 0x90, 0x8d, 0xdf, 0xce, 0xce,
};
/* What is freed keeps its bytes but for the first ones, where the allocator writes: those are not looked for. */
enum { LENGTH = sizeof TURNED, MOST = 8, SKIPPED = 24 };

static unsigned char needles[MOST][256];
static size_t lengths[MOST];
static size_t count;

static void wipe(volatile unsigned char *at, size_t length) {
    while (length-- > 0) {
        *at++ = 0;
    }
}

/* Keeps the end of a text to look for, turned over. */
static void look_for(unsigned char *text, size_t length) {
    size_t i;
    for (i = SKIPPED; i < length; i++) {
        needles[count][i - SKIPPED] = (unsigned char)~text[i];
    }
    lengths[count++] = length - SKIPPED;
}

static void look_for_base64(const unsigned char *bytes, size_t length) {
    static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char out[256];
    size_t i, at = 0;
    for (i = 0; i + 2 < length; i += 3) {
        uint32_t n = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];
        out[at++] = (unsigned char)LETTERS[n >> 18 & 63];
        out[at++] = (unsigned char)LETTERS[n >> 12 & 63];
        out[at++] = (unsigned char)LETTERS[n >> 6 & 63];
        out[at++] = (unsigned char)LETTERS[n & 63];
    }
    look_for(out, at);
    wipe(out, sizeof out);
}

/* How often a text stands in the memory that this process can write. */
static int found(void) {
    char line[512];
    int hits = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    if (maps == NULL) {
        return -1;
    }
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long start, end;
        char rights[8];
        const unsigned char *at;
        size_t n;
        if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) != 3 || rights[0] != 'r' || rights[1] != 'w') {
            continue;
        }
        /* What a register spill leaves on the stack differs from compiler to compiler; the next calls overwrite it. */
        if (strstr(line, "[stack]") != NULL) {
            continue;
        }
        for (n = 0; n < count; n++) {
            for (at = (const unsigned char *)start; at + lengths[n] <= (const unsigned char *)end; at++) {
                size_t i = 0;
                while (i < lengths[n] && at[i] == (unsigned char)~needles[n][i]) {
                    i++;
                }
                if (i == lengths[n]) {
                    hits++;
                }
            }
        }
    }
    fclose(maps);
    return hits;
}

static int32_t hear(ssmtp_t *smtp, ssmtp_pi_trail_event *event, void *userdata) {
    (void)smtp, (void)event, (void)userdata;
    return 0;
}

int main(int argc, char **argv) {
    unsigned char *password, message[128];
    size_t i, user_length;
    int failed = 0, n, right;
    if (argc < 5) {
        return 2;
    }
    right = strcmp(argv[3], "RIGHT") == 0;
    user_length = strlen(argv[2]);
    for (n = 4; n < argc; n++) {
        char setting[64], authentication[32] = "";
        int type = 0, port = 0, proxied;
        int32_t code;
        ssmtp_t *smtp = ssmtp_new();
        password = malloc(LENGTH + 1);
        if (smtp == NULL || password == NULL || user_length > 16) {
            return 2;
        }
        for (i = 0; i < LENGTH; i++) {
            password[i] = (unsigned char)~TURNED[i];
        }
        password[LENGTH] = 0;
        if (!right) {
            password[LENGTH - 1] = 'x';
        }
        count = 0;
        look_for(password, LENGTH);
        look_for_base64(password, LENGTH);
        /* As NTLM hashes it: UTF-16. */
        for (i = 0; i < LENGTH; i++) {
            message[2 * i] = password[i];
            message[2 * i + 1] = 0;
        }
        look_for(message, 2 * LENGTH);
        message[0] = 0;
        memcpy(message + 1, argv[2], user_length);
        message[1 + user_length] = 0;
        memcpy(message + 2 + user_length, password, LENGTH);
        look_for_base64(message, 2 + user_length + LENGTH);
        /* As Basic has it. */
        memcpy(message, argv[2], user_length);
        message[user_length] = ':';
        memcpy(message + 1 + user_length, password, LENGTH);
        look_for_base64(message, 1 + user_length + LENGTH);
        wipe(message, sizeof message);
        proxied = sscanf(argv[n], "proxy=%d:%d:%31s", &type, &port, authentication) >= 2;
        ssmtp_set_mail_server(smtp, "localhost");
        ssmtp_set_mail_port(smtp, atoi(argv[1]));
        ssmtp_set_timeout(smtp, 30);
        ssmtp_on_pi_trail(smtp, hear, NULL);
        if (proxied) {
            ssmtp_set_firewall_type(smtp, type);
            ssmtp_set_firewall_host(smtp, "localhost");
            ssmtp_set_firewall_port(smtp, port);
            ssmtp_set_firewall_user(smtp, argv[2]);
            ssmtp_set_firewall_password(smtp, (const char *)password);
            ssmtp_config(smtp, "UseNTLMv2=True", NULL);
            snprintf(setting, sizeof setting, "FirewallAuthentication=%s", authentication);
        } else {
            ssmtp_set_user(smtp, argv[2]);
            ssmtp_set_password(smtp, (const char *)password);
            snprintf(setting, sizeof setting, "SASLMechanism=%s", argv[n]);
        }
        ssmtp_config(smtp, setting, NULL);
        wipe(password, LENGTH + 1);
        free(password);
        if (n == 4 && found() < 1) {
            printf("FAILED  the search finds nothing while the handle holds the password\n");
            failed = 1;
        }
        code = ssmtp_connect(smtp);
        if (code != (right ? 0 : proxied ? 118 : 161)) {
            printf("FAILED  %s: Connect gave %d\n", argv[n], (int)code);
            failed = 1;
        }
        ssmtp_disconnect(smtp);
        ssmtp_delete(smtp);
        if (found() != 0) {
            printf("FAILED  %s: the password is still in memory\n", argv[n]);
            failed = 1;
        } else {
            printf("ok      wiped: nothing of the password in memory after %s (%s)\n", argv[n], argv[3]);
        }
    }
    return failed;
}
