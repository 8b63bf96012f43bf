/* The queue from C: the scenario message through a folder and as text, a refused file, and what a handler hears of it. */
#include "scenario.h"
#include "support.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static int told;

static int32_t on_error(ssmtp_t *smtp, ssmtp_error_event *e, void *userdata) {
    (void)smtp;
    EQ(e->error_code, SSMTP_ERROR_PROTOCOL);
    CHECK(strstr(e->description, ".failed: ") != NULL);
    *(int *)userdata += 1;
    return 0;
}

/* How many files have this extension. */
static int files(const char *extension) {
    int count = 0;
    struct dirent *entry;
    DIR *dir = opendir(folder);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');
        count += dot != NULL && dot != entry->d_name && strcmp(dot + 1, extension) == 0;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return count;
}

static void set_scenario(ssmtp_t *smtp) {
    EQ(ssmtp_set_from(smtp, SCENARIO_FROM), 0);
    EQ(ssmtp_set_send_to(smtp, SCENARIO_TO), 0);
    EQ(ssmtp_set_cc(smtp, SCENARIO_CC), 0);
    EQ(ssmtp_set_bcc(smtp, SCENARIO_BCC), 0);
    EQ(ssmtp_set_subject(smtp, SCENARIO_SUBJECT), 0);
    EQ(ssmtp_set_message_date(smtp, SCENARIO_DATE), 0);
    EQ(ssmtp_set_message_id(smtp, SCENARIO_ID), 0);
    EQ(ssmtp_set_other_headers(smtp, SCENARIO_HEADERS), 0);
    EQ(ssmtp_set_message_text(smtp, SCENARIO_TEXT), 0);
}

/* The whole file, NUL behind it; to be freed. */
static char *content(const char *path) {
    char *text = calloc(1, 65536);
    FILE *file = fopen(path, "rb");
    if (text == NULL || file == NULL) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(2);
    }
    text[fread(text, 1, 65535, file)] = '\0';
    fclose(file);
    return text;
}

static void the_scenario_arrives_through_the_queue(void) {
    char store[128], path[200], *name = NULL, *text = NULL, *first, *other;
    const char *args[] = {"--extensions", "PIPELINING", "--eml", store, NULL};
    ssmtp_t *smtp = ssmtp_new();
    struct stat about;
    server s;
    int n;
    snprintf(store, sizeof store, "%s/arrived", folder);
    s = server_start(args);
    set_scenario(smtp);
    /* No server is set yet. */
    EQ(ssmtp_queue(smtp, folder, &name), 0);
    EQ(ssmtp_queue(smtp, "*", &text), 0);
    CHECK(name != NULL && strlen(name) > 7 && strcmp(name + strlen(name) - 7, ".queued") == 0);
    snprintf(path, sizeof path, "%s/%s", folder, name != NULL ? name : "");
    EQ(stat(path, &about), 0);
    EQ(about.st_mode & 07777, 0600);
    first = content(path);
    CHECK(strstr(first, "Rcpt: Bcc <" SCENARIO_BCC ">") != NULL);
    free(first);
    EQ(ssmtp_process_queue(smtp, folder), SSMTP_ERROR_NO_MAIL_SERVER);
    EQ(ssmtp_set_mail_server(smtp, LOOPBACK), 0);
    EQ(ssmtp_set_mail_port(smtp, s.port), 0);
    EQ(ssmtp_send(smtp), 0);
    EQ(ssmtp_process_queue(smtp, folder), 0);
    EQ(ssmtp_send_queued(smtp, text), 0);
    EQ(files("queued") + files("sending") + files("failed"), 0);
    /* What was queued is what Send sends, three times. */
    snprintf(path, sizeof path, "%s/1.eml", store);
    first = content(path);
    CHECK(strstr(first, "carol") == NULL);
    for (n = 2; n <= 3; n++) {
        snprintf(path, sizeof path, "%s/%d.eml", store, n);
        other = content(path);
        EQ_TEXT(other, first);
        free(other);
        snprintf(path, sizeof path, "%s/%d.envelope", store, n);
        other = content(path);
        CHECK(strstr(other, "RCPT TO:<carol@postfix.test>") != NULL);
        free(other);
    }
    free(first);
    text[strlen(text) / 2] ^= 1;
    EQ(ssmtp_send_queued(smtp, text), SSMTP_ERROR_FILE);
    ssmtp_free(text);
    ssmtp_free(name);
    EQ(ssmtp_delete(smtp), 0);
    server_stop(&s);
}

static void a_refused_file_is_told_of_and_the_rest_goes_on(void) {
    server s = server_with("RCPT:bob@=550 5.1.1 no such user");
    ssmtp_t *smtp = message_to(s.port);
    char *name = NULL, *text = NULL;
    EQ(ssmtp_on_error(smtp, on_error, &told), 0);
    EQ(ssmtp_queue(smtp, folder, &name), 0);
    ssmtp_free(name);
    EQ(ssmtp_set_send_to(smtp, "bob@server.example"), 0);
    EQ(ssmtp_queue(smtp, folder, &name), 0);
    ssmtp_free(name);
    EQ(ssmtp_config(smtp, "KeepQueue=True", NULL), 0);
    EQ(ssmtp_process_queue(smtp, folder), 0);
    EQ(told, 1);
    EQ(files("sent"), 1);
    EQ(files("failed"), 1);
    EQ(ssmtp_recover_queue(smtp, folder, &text), 0);
    EQ_TEXT(text, "");
    ssmtp_free(text);
    EQ(ssmtp_queue(smtp, "/nowhere/at/all", &name), SSMTP_ERROR_FILE);
    EQ(ssmtp_queue(smtp, NULL, &name), SSMTP_ERROR_FILE);
    EQ(ssmtp_queue(smtp, folder, NULL), SSMTP_ERROR_BAD_ARGUMENT);
    EQ(ssmtp_delete(smtp), 0);
    server_stop(&s);
}

/* A message with its parts in the open and an encrypted one, as they would be sent; to be freed. */
static char *made(ssmtp_t *smtp, const char *certificate) {
    char *all = calloc(1, 65536), *text = NULL;
    EQ(ssmtp_set_message_text(smtp, "between us\r\n"), 0);
    EQ(ssmtp_set_message_html(smtp, "<p>between us</p>"), 0);
    EQ(ssmtp_queue(smtp, "*", &text), 0);
    snprintf(all, 65536, "%s\n", text == NULL ? "" : text);
    ssmtp_free(text);
    text = NULL;
    EQ(ssmtp_set_message_html(smtp, ""), 0);
    EQ(ssmtp_add_recipient_cert(smtp, (const uint8_t *)certificate, strlen(certificate)), 0);
    EQ(ssmtp_encrypt(smtp), 0);
    EQ(ssmtp_queue(smtp, "*", &text), 0);
    strncat(all, text == NULL ? "" : text, 65535 - strlen(all));
    ssmtp_free(text);
    return all;
}

/* The 30 characters that follow this; nothing of a key or a vector may be the same in two of them. */
static void differ(const char *one, const char *other, const char *begin) {
    const char *left = strstr(one, begin), *right = strstr(other, begin);
    CHECK(left != NULL && right != NULL);
    if (left != NULL && right != NULL) {
        CHECK(strncmp(left, right, strlen(begin) + 30) != 0);
    }
}

/* The last octets of the last message, behind which its length and checksum stand. */
static const char *end_of_body(const char *text) {
    const char *at = text, *last = NULL;
    while ((at = strstr(at, "\nContent: ")) != NULL) {
        last = at++;
    }
    CHECK(last != NULL && last - text > 1000);
    return last == NULL ? "" : last - 30;
}

/* Random numbers of a process that forks are not those of its child: no key, vector, boundary or Message-ID comes twice. */
static void a_forked_child_repeats_nothing(void) {
    char *certificate = content("tests/data/certs/rsa.crt"), *ours, *theirs = calloc(1, 65536);
    ssmtp_t *smtp = ssmtp_new();
    int ends[2], status = -1;
    size_t got = 0;
    ssize_t more;
    pid_t child;
    EQ(ssmtp_set_from(smtp, "a@a.example"), 0);
    EQ(ssmtp_set_send_to(smtp, "ann@example.com"), 0);
    /* Whatever is drawn ahead is drawn now. */
    free(made(smtp, certificate));
    if (theirs == NULL || pipe(ends) != 0) {
        exit(2);
    }
    fflush(stdout);
    child = fork();
    ours = made(smtp, certificate);
    if (child == 0) {
        size_t length = strlen(ours);
        _exit(write(ends[1], ours, length) == (ssize_t)length ? 0 : 1);
    }
    close(ends[1]);
    while (got < 65535 && (more = read(ends[0], theirs + got, 65535 - got)) > 0) {
        got += (size_t)more;
    }
    close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    differ(ours, theirs, "Message-ID: <");
    differ(ours, theirs, "boundary=\"=_");
    /* The content is the same in both; with key and vector the ciphertext, the last of the body, would be too. */
    CHECK(strncmp(end_of_body(ours), end_of_body(theirs), 30) != 0);
    free(ours);
    free(theirs);
    free(certificate);
    EQ(ssmtp_delete(smtp), 0);
}

int main(void) {
    char command[128];
    snprintf(folder, sizeof folder, "/tmp/ssmtp-queue-c-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return 2;
    }
    RUN(the_scenario_arrives_through_the_queue);
    RUN(a_refused_file_is_told_of_and_the_rest_goes_on);
    RUN(a_forked_child_repeats_nothing);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0) {
        return 2;
    }
    return check_end();
}
