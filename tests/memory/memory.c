/* Sends one message whose attachment is PATH, or standard input where PATH is "-", and prints the peak of its memory in KiB.
 * usage: memory HOST PORT attach|follow|stream PATH [sign|opaque|encrypt|both CERTIFICATE CIPHER] */
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

/* Signs, encrypts or both, with the key and for the certificate of one PEM file. */
static int32_t secure(ssmtp_t *smtp, const char *how, const char *pem, const char *cipher)
{
    static uint8_t octets[65536];
    FILE *file = fopen(pem, "rb");
    size_t length = file != NULL ? fread(octets, 1, sizeof octets, file) : 0;
    int32_t code;
    if (file != NULL) fclose(file);
    code = ssmtp_set(smtp, "CertificateStoreType", "6");
    if (code == 0) code = ssmtp_set(smtp, "CertificateStore", pem);
    if (code == 0) code = ssmtp_set(smtp, "CertificateSubject", "*");
    if (code == 0) code = ssmtp_set_encrypting_algorithm(smtp, cipher);
    if (code == 0) code = ssmtp_add_recipient_cert(smtp, octets, length);
    if (code == 0 && strcmp(how, "opaque") == 0) code = ssmtp_config(smtp, "DetachedSignature=False", NULL);
    if (code != 0) return code;
    if (strcmp(how, "encrypt") == 0) return ssmtp_encrypt(smtp);
    return strcmp(how, "both") == 0 ? ssmtp_sign_and_encrypt(smtp) : ssmtp_sign(smtp);
}

int main(int argc, char **argv)
{
    ssmtp_t *smtp = ssmtp_new();
    char *text = NULL;
    int32_t code;
    if (argc != 5 && argc != 8) return 2;
    ssmtp_set_mail_server(smtp, argv[1]);
    ssmtp_set_mail_port(smtp, atoi(argv[2]));
    ssmtp_set_from(smtp, "sender@client.example");
    ssmtp_set_send_to(smtp, "rsa@b.example");
    ssmtp_set_message_text(smtp, "The file is attached.\r\n");
    if (strcmp(argv[3], "attach") == 0) code = ssmtp_add_attachment_file(smtp, argv[4], "data.bin", "");
    else if (strcmp(argv[3], "follow") == 0) code = ssmtp_set_attached_file(smtp, argv[4]);
    else code = ssmtp_add_attachment_stream(smtp, read_input, NULL, stdin, -1, "data.bin", "");
    if (code == 0 && argc == 8) code = secure(smtp, argv[5], argv[6], argv[7]);
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
