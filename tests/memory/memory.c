/* Sends one message whose attachment is PATH, or standard input where PATH is "-", and prints the peak of its memory in KiB.
 * usage: memory HOST PORT attach|follow|stream PATH */
#include <ssmtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t read_input(void *userdata, uint8_t *buffer, size_t size)
{
    size_t got = fread(buffer, 1, size, (FILE *)userdata);
    return got == 0 && ferror((FILE *)userdata) ? -1 : (int64_t)got;
}

static long peak_kib(void)
{
    char line[256];
    long peak = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) peak = atol(line + 6);
    }
    if (status != NULL) fclose(status);
    return peak;
}

int main(int argc, char **argv)
{
    ssmtp_t *smtp = ssmtp_new();
    char *text = NULL;
    int32_t code;
    if (argc != 5) return 2;
    ssmtp_set_mail_server(smtp, argv[1]);
    ssmtp_set_mail_port(smtp, atoi(argv[2]));
    ssmtp_set_from(smtp, "sender@client.example");
    ssmtp_set_send_to(smtp, "alice@server.example");
    ssmtp_set_message_text(smtp, "The file is attached.\r\n");
    if (strcmp(argv[3], "attach") == 0) code = ssmtp_add_attachment_file(smtp, argv[4], "data.bin", "");
    else if (strcmp(argv[3], "follow") == 0) code = ssmtp_set_attached_file(smtp, argv[4]);
    else code = ssmtp_add_attachment_stream(smtp, read_input, NULL, stdin, -1, "data.bin", "");
    if (code == 0) code = ssmtp_send(smtp);
    if (code != 0) {
        ssmtp_last_error(smtp, &text);
        fprintf(stderr, "%d %s\n", (int)code, text);
        return 1;
    }
    ssmtp_delete(smtp);
    printf("%ld\n", peak_kib());
    return 0;
}
