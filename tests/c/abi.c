/* The C boundary: handles, arguments, text, names. What callbacks, threads and the process meet is in abi_calls.c and
 * abi_process.c. */
#include "support.h"

#include <stdlib.h>
#include <time.h>

static const char BROKEN[] = "broken \xC3( utf-8";

static void deleting_twice_gives_608(void) {
    ssmtp_t *smtp = ssmtp_new();
    ssmtp_t *next;
    ssmtp_cert_t *cert = NULL;
    CHECK(smtp != NULL);
    EQ(ssmtp_delete(smtp), 0);
    EQ(ssmtp_delete(smtp), SSMTP_ERROR_CLOSED_HANDLE);
    next = ssmtp_new();
    CHECK(next != smtp);
    EQ(ssmtp_delete(smtp), SSMTP_ERROR_CLOSED_HANDLE);
    EQ(ssmtp_set_subject(next, "still alive"), 0);
    EQ(ssmtp_delete(next), 0);
    EQ(ssmtp_delete(NULL), 0);
    EQ(ssmtp_cert_new(&cert), 0);
    EQ(ssmtp_cert_delete(cert), 0);
    EQ(ssmtp_cert_delete(cert), SSMTP_ERROR_CLOSED_HANDLE);
    EQ(ssmtp_cert_delete(NULL), 0);
}

static void made_up_pointers_give_608(void) {
    int here = 0;
    void *memory = malloc(64);
    const uintptr_t wild[] = {1, 2, 64, 4096, 0xdeadbeef, UINTPTR_MAX, UINTPTR_MAX - 7, (uintptr_t)1 << 32};
    size_t i;
    for (i = 0; i < sizeof wild / sizeof *wild; i++) {
        EQ(ssmtp_send((ssmtp_t *)wild[i]), SSMTP_ERROR_CLOSED_HANDLE);
        EQ(ssmtp_set_subject((ssmtp_t *)wild[i], "x"), SSMTP_ERROR_CLOSED_HANDLE);
        EQ(ssmtp_delete((ssmtp_t *)wild[i]), SSMTP_ERROR_CLOSED_HANDLE);
        EQ(ssmtp_cert_delete((ssmtp_cert_t *)wild[i]), SSMTP_ERROR_CLOSED_HANDLE);
    }
    EQ(ssmtp_connect((ssmtp_t *)(void *)&here), SSMTP_ERROR_CLOSED_HANDLE);
    EQ(ssmtp_connect((ssmtp_t *)memory), SSMTP_ERROR_CLOSED_HANDLE);
    EQ(ssmtp_delete((ssmtp_t *)memory), SSMTP_ERROR_CLOSED_HANDLE);
    free(memory);
}

static void null_text_is_empty(void) {
    ssmtp_t *smtp = ssmtp_new();
    char *text = NULL;
    EQ(ssmtp_set_subject(smtp, "something"), 0);
    EQ(ssmtp_set_subject(smtp, NULL), 0);
    EQ(ssmtp_get_subject(smtp, &text), 0);
    EQ_TEXT(text, "");
    ssmtp_free(text);
    EQ(ssmtp_set(smtp, "Subject", "something"), 0);
    EQ(ssmtp_set(smtp, "Subject", NULL), 0);
    EQ(ssmtp_get(smtp, "Subject", &text), 0);
    EQ_TEXT(text, "");
    ssmtp_free(text);
    text = NULL;
    EQ(ssmtp_get(smtp, NULL, &text), SSMTP_ERROR_UNKNOWN_NAME);
    EQ(ssmtp_set(smtp, NULL, NULL), SSMTP_ERROR_UNKNOWN_NAME);
    EQ(ssmtp_config(smtp, NULL, &text), SSMTP_ERROR_UNKNOWN_NAME);
    CHECK(text == NULL);
    EQ(ssmtp_delete(smtp), 0);
}

static void broken_utf8_is_refused_everywhere(void) {
    ssmtp_t *smtp = ssmtp_new();
    char *text = NULL;
    EQ(ssmtp_set(smtp, "Subject", BROKEN), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_set(smtp, BROKEN, "x"), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_get(smtp, BROKEN, &text), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_config(smtp, BROKEN, &text), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_config(smtp, "Hello=\xFF", &text), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_set_subject(smtp, "\xED\xA0\x80"), SSMTP_ERROR_VALUE_REFUSED); /* a surrogate */
    EQ(ssmtp_set_subject(smtp, "\xC0\xAF"), SSMTP_ERROR_VALUE_REFUSED);     /* overlong */
    EQ(ssmtp_set_subject(smtp, "\xF4\x90\x80\x80"), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_send_command(smtp, BROKEN), SSMTP_ERROR_VALUE_REFUSED);
    CHECK(text == NULL);
    EQ(ssmtp_get_subject(smtp, &text), 0);
    EQ_TEXT(text, "");
    ssmtp_free(text);
    EQ(ssmtp_set_subject(smtp, "\xF0\x9F\x93\xAE Gr\xC3\xBC\xC3\x9F"), 0);
    EQ(ssmtp_get_subject(smtp, &text), 0);
    EQ_TEXT(text, "\xF0\x9F\x93\xAE Gr\xC3\xBC\xC3\x9F");
    ssmtp_free(text);
    EQ(ssmtp_delete(smtp), 0);
}

static void counts_and_sizes_are_bounded(void) {
    ssmtp_t *smtp = ssmtp_new();
    double start = now_ms();
    int32_t count = -1, code;
    EQ(ssmtp_set_message_recipient_count(smtp, -1), SSMTP_ERROR_VALUE_REFUSED);
    code = ssmtp_set_message_recipient_count(smtp, INT32_MAX);
    CHECK(code == SSMTP_ERROR_VALUE_REFUSED || code == SSMTP_ERROR_OUT_OF_MEMORY);
    CHECK(now_ms() - start < 2000);
    EQ(ssmtp_get_message_recipient_count(smtp, &count), 0);
    EQ(count, 0);
    EQ(ssmtp_set_message_recipient_count(smtp, 3), 0);
    EQ(ssmtp_set_message_recipient_address(smtp, 2, "c@c.example"), 0);
    EQ(ssmtp_set_message_recipient_address(smtp, 3, "d@d.example"), 0);
    EQ(ssmtp_set_message_recipient_address(smtp, 5, "f@f.example"), SSMTP_ERROR_INDEX);
    EQ(ssmtp_get_message_recipient_count(smtp, &count), 0);
    EQ(count, 4);
    EQ(ssmtp_set_message_stream(smtp, NULL, NULL, NULL, -2), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_set_mail_port(smtp, 0), SSMTP_ERROR_ZERO_PORT);
    EQ(ssmtp_set_mail_port(smtp, 65536), SSMTP_ERROR_ZERO_PORT);
    EQ(ssmtp_set_mail_port(smtp, INT32_MIN), SSMTP_ERROR_ZERO_PORT);
    EQ(ssmtp_delete(smtp), 0);
}

static void names_are_found_in_any_case_and_wrong_ones_are_told(void) {
    ssmtp_t *smtp = ssmtp_new();
    char *text = NULL;
    EQ(ssmtp_set(smtp, "mailPORT", "0x19"), 0);
    EQ(ssmtp_get(smtp, "MAILPORT", &text), 0);
    EQ_TEXT(text, "25");
    ssmtp_free(text);
    EQ(ssmtp_set(smtp, "Importance", "mihigh"), 0);
    EQ(ssmtp_get(smtp, "importance", &text), 0);
    EQ_TEXT(text, "1");
    ssmtp_free(text);
    EQ(ssmtp_set(smtp, "AllowExtensions", "false"), 0);
    EQ(ssmtp_get(smtp, "AllowExtensions", &text), 0);
    EQ_TEXT(text, "False");
    ssmtp_free(text);
    EQ(ssmtp_set(smtp, "MessageRecipientAddress[0]", "a@a.example"), 0);
    EQ(ssmtp_set(smtp, "MessageRecipientType(0)", "rtCc"), 0);
    EQ(ssmtp_get(smtp, "Cc", &text), 0);
    EQ_TEXT(text, "a@a.example");
    ssmtp_free(text);
    text = NULL;
    EQ(ssmtp_get(smtp, "MessageRecipientAddress[1]", &text), SSMTP_ERROR_INDEX);
    EQ(ssmtp_get(smtp, "MessageRecipientAddress[-1]", &text), SSMTP_ERROR_INDEX);
    EQ(ssmtp_get(smtp, "MessageRecipientAddress[99999999999999999999]", &text), SSMTP_ERROR_INDEX);
    EQ(ssmtp_get(smtp, "NoSuchThing", &text), SSMTP_ERROR_UNKNOWN_NAME);
    SAYS(smtp, "NoSuchThing");
    EQ(ssmtp_set(smtp, "NoSuchThing", "x"), SSMTP_ERROR_UNKNOWN_NAME);
    EQ(ssmtp_set(smtp, "LastReply", "x"), SSMTP_ERROR_ACCESS);
    EQ(ssmtp_get(smtp, "Command", &text), SSMTP_ERROR_ACCESS);
    EQ(ssmtp_set(smtp, "MailPort", "many"), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_set(smtp, "MailPort", "99999999999999999999"), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_set(smtp, "Importance", "7"), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_set(smtp, "AllowExtensions", "perhaps"), SSMTP_ERROR_VALUE_REFUSED);
    CHECK(text == NULL);
    EQ(ssmtp_delete(smtp), 0);
}

static void config_reads_and_writes_settings(void) {
    ssmtp_t *smtp = ssmtp_new();
    char *text = NULL;
    const char *const yes[] = {"True", "true", "TRUE", "1", "yes", "Yes"};
    size_t i;
    for (i = 0; i < sizeof yes / sizeof *yes; i++) {
        char line[40];
        EQ(ssmtp_config(smtp, "AllowEmptyTo=False", NULL), 0);
        snprintf(line, sizeof line, "allowemptyto=%s", yes[i]);
        EQ(ssmtp_config(smtp, line, NULL), 0);
        EQ(ssmtp_config(smtp, "AllowEmptyTo", &text), 0);
        EQ_TEXT(text, "True");
        ssmtp_free(text);
    }
    text = NULL;
    EQ(ssmtp_config(smtp, "OtherHeaders=X-A: 1=2", &text), 0);
    EQ_TEXT(text, "");
    ssmtp_free(text);
    EQ(ssmtp_get_other_headers(smtp, &text), 0);
    EQ_TEXT(text, "X-A: 1=2");
    ssmtp_free(text);
    text = NULL;
    EQ(ssmtp_config(smtp, "NoSuchSetting", &text), SSMTP_ERROR_UNKNOWN_NAME);
    EQ(ssmtp_config(smtp, "NoSuchSetting=1", &text), SSMTP_ERROR_UNKNOWN_NAME);
    EQ(ssmtp_config(smtp, "", &text), SSMTP_ERROR_UNKNOWN_NAME);
    EQ(ssmtp_config(smtp, "=", &text), SSMTP_ERROR_UNKNOWN_NAME);
    EQ(ssmtp_config(smtp, "MaxHeaderLength=12x", &text), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_config(smtp, "MaxHeaderLength=", &text), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_config(smtp, "BuildInfo=x", &text), SSMTP_ERROR_ACCESS);
    CHECK(text == NULL);
    EQ(ssmtp_delete(smtp), 0);
}

static void outputs_belong_to_the_caller(void) {
    ssmtp_t *smtp = ssmtp_new();
    char *first = NULL, *second = NULL;
    char raw[2 * sizeof(int32_t)];
    int32_t value = 0;
    EQ(ssmtp_set_subject(smtp, "one"), 0);
    EQ(ssmtp_get_subject(smtp, &first), 0);
    EQ(ssmtp_set_subject(smtp, "two"), 0);
    EQ(ssmtp_get_subject(smtp, &second), 0);
    EQ(ssmtp_delete(smtp), 0);
    EQ_TEXT(first, "one");
    EQ_TEXT(second, "two");
    ssmtp_free(first);
    ssmtp_free(second);
    ssmtp_free(NULL);
    /* An output that is not aligned is written all the same. */
    smtp = ssmtp_new();
    EQ(ssmtp_get_mail_port(smtp, (int32_t *)(void *)(raw + 1)), 0);
    memcpy(&value, raw + 1, sizeof value);
    EQ(value, 25);
    EQ(ssmtp_delete(smtp), 0);
}

static void long_text_comes_back_whole(void) {
    enum { SIZE = 4 << 20 };
    ssmtp_t *smtp = ssmtp_new();
    char *long_text = malloc(SIZE + 1), *text = NULL;
    memset(long_text, 'x', SIZE);
    long_text[SIZE] = '\0';
    EQ(ssmtp_set_message_text(smtp, long_text), 0);
    EQ(ssmtp_get_message_text(smtp, &text), 0);
    CHECK(text != NULL && strcmp(text, long_text) == 0);
    ssmtp_free(text);
    free(long_text);
    EQ(ssmtp_delete(smtp), 0);
}

static void *fail_elsewhere(void *smtp) {
    EQ(ssmtp_set_mail_port(smtp, 70000), SSMTP_ERROR_ZERO_PORT);
    SAYS(smtp, "70000");
    return NULL;
}

static void the_last_error_is_the_calling_threads(void) {
    ssmtp_t *smtp = ssmtp_new();
    pthread_t other;
    EQ(ssmtp_set_mail_port(smtp, 80000), SSMTP_ERROR_ZERO_PORT);
    pthread_create(&other, NULL, fail_elsewhere, smtp);
    pthread_join(other, NULL);
    SAYS(smtp, "80000");
    CHECK(strchr(check_error(smtp), '\n') == NULL);
    EQ(ssmtp_delete(smtp), 0);
}

static void texts_of_numbers_are_never_null(void) {
    const int32_t codes[] = {0, 1, -1, 166, 201, 606, 11004, INT32_MIN, INT32_MAX};
    size_t i;
    for (i = 0; i < sizeof codes / sizeof *codes; i++) {
        CHECK(ssmtp_error_text(codes[i]) != NULL && *ssmtp_error_text(codes[i]) != '\0');
    }
    EQ_TEXT(ssmtp_version(), "0.1.0");
}

static int closed;

static int64_t read_nothing(void *userdata, uint8_t *buffer, size_t size) {
    (void)userdata;
    (void)buffer;
    (void)size;
    return 0;
}

static void count_close(void *userdata) { *(int *)userdata += 1; }

static void only_a_transfer_closes_a_stream(void) {
    ssmtp_t *smtp = ssmtp_new();
    closed = 0;
    EQ(ssmtp_set_message_stream(smtp, read_nothing, count_close, &closed, 0), 0);
    EQ(ssmtp_set_message_stream(smtp, read_nothing, count_close, &closed, -1), 0); /* replaced */
    EQ(ssmtp_set_message_stream(smtp, NULL, NULL, NULL, 0), 0);                    /* removed */
    EQ(ssmtp_set_message_stream(smtp, read_nothing, count_close, &closed, -1), 0);
    EQ(ssmtp_set_attached_file(smtp, "/nowhere"), 0); /* put out by the file */
    EQ(ssmtp_set_message_stream(smtp, read_nothing, count_close, &closed, -1), 0);
    EQ(ssmtp_reset(smtp), 0);
    EQ(ssmtp_set_message_stream(smtp, read_nothing, count_close, &closed, -1), 0);
    EQ(ssmtp_set_message_stream(smtp, read_nothing, count_close, &closed, -2), SSMTP_ERROR_VALUE_REFUSED);
    EQ(ssmtp_set_message_stream(NULL, read_nothing, count_close, &closed, 0), SSMTP_ERROR_BAD_ARGUMENT);
    EQ(ssmtp_delete(smtp), 0);
    EQ(closed, 0);
}

void test_handles(void) {
    RUN(deleting_twice_gives_608);
    RUN(made_up_pointers_give_608);
    RUN(null_text_is_empty);
    RUN(broken_utf8_is_refused_everywhere);
    RUN(counts_and_sizes_are_bounded);
    RUN(names_are_found_in_any_case_and_wrong_ones_are_told);
    RUN(config_reads_and_writes_settings);
    RUN(outputs_belong_to_the_caller);
    RUN(long_text_comes_back_whole);
    RUN(the_last_error_is_the_calling_threads);
    RUN(texts_of_numbers_are_never_null);
    RUN(only_a_transfer_closes_a_stream);
}

/* `abi panic` runs one test alone, with a library that has the entry for it. */
int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "panic") == 0) {
        test_panic();
        return check_end();
    }
    test_handles();
    test_calls();
    test_process();
    return check_end();
}
