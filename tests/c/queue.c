/* The queue from C: the scenario message through a folder and as text, a refused file, and what a handler hears of it. */
#include "scenario.h"
#include "support.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
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

int main(void) {
    char command[128];
    snprintf(folder, sizeof folder, "/tmp/ssmtp-queue-c-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return 2;
    }
    RUN(the_scenario_arrives_through_the_queue);
    RUN(a_refused_file_is_told_of_and_the_rest_goes_on);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0) {
        return 2;
    }
    return check_end();
}
