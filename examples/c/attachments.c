/* attachments HOST:PORT: text, HTML with an image, and three files: from memory, from the disk, from a stream. */
#include "ssmtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t logo[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0x1f, 0x15, 0xc4, 0x89, 0x00,
    0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x60, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01,
    0xe2, 0x21, 0xbc, 0x33, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

/* A stream of the numbers 0 to 255, a few at a time. */
static int64_t read_numbers(void *userdata, uint8_t *buffer, size_t size) {
    int *next = userdata;
    size_t count = 0;
    while (*next < 256 && count < size && count < 100) {
        buffer[count++] = (uint8_t)(*next)++;
    }
    return (int64_t)count; /* 0 is the end */
}

int main(int argc, char **argv) {
    static const char csv[] = "a;b\r\n1;2\r\n";
    const char *colon = argc > 1 ? strrchr(argv[1], ':') : NULL;
    ssmtp_t *smtp = ssmtp_new();
    char host[256], path[] = "/tmp/ssmtp-XXXXXX", file[64];
    int next = 0;
    int32_t code = 0;
    FILE *text;

    if (colon == NULL || smtp == NULL || mkdtemp(path) == NULL) {
        fprintf(stderr, "usage: attachments HOST:PORT\n");
        return 2;
    }
    snprintf(host, sizeof host, "%.*s", (int)(colon - argv[1]), argv[1]);
    snprintf(file, sizeof file, "%s/\xc3\x9c" "bersicht.txt", path);
    if ((text = fopen(file, "w")) == NULL || fputs("Inhalt \xc3\xa4\xc3\xb6\xc3\xbc\n", text) < 0 || fclose(text) != 0) {
        perror(file);
        return 2;
    }

    ssmtp_set_mail_server(smtp, host);
    ssmtp_set_mail_port(smtp, atoi(colon + 1));
    ssmtp_set_from(smtp, "sender@client.example");
    ssmtp_set_send_to(smtp, "alice@postfix.test");
    ssmtp_set_subject(smtp, "Attachments \xe2\x80\x93 Anh\xc3\xa4nge");
    ssmtp_set_message_date(smtp, "Sun, 22 Nov 2026 12:00:00 +0000");
    ssmtp_set_message_id(smtp, "<attachments@client.example>");
    ssmtp_set_message_text(smtp, "Plain text\r\n");
    ssmtp_set_message_html(smtp, "<p>HTML <img src=\"cid:logo@client.example\"></p>\r\n");

    /* Every function returns 0 or a number; these four are worth a look, the others cannot fail with such values. */
    if (code == 0) code = ssmtp_add_inline_data(smtp, logo, sizeof logo, "logo@client.example", "image/png");
    if (code == 0) code = ssmtp_add_attachment_data(smtp, (const uint8_t *)csv, strlen(csv), "report.csv", "text/csv");
    if (code == 0) code = ssmtp_add_attachment_file(smtp, file, NULL, NULL); /* name and type as the file has them */
    if (code == 0) {
        code = ssmtp_add_attachment_stream(smtp, read_numbers, NULL, &next, -1, "numbers.bin", "application/octet-stream");
    }
    if (code == 0) code = ssmtp_send(smtp);
    if (code != 0) {
        char *why = NULL;
        ssmtp_last_error(smtp, &why);
        fprintf(stderr, "error %d: %s\n", (int)code, why != NULL ? why : ssmtp_error_text(code));
        ssmtp_free(why);
    } else {
        puts("sent");
    }
    ssmtp_delete(smtp);
    remove(file);
    remove(path);
    return code == 0 ? 0 : 1;
}
