/* Default, round trip, refusals: the same questions to every row. */
#include "rows.h"

static const char BROKEN[] = "broken \xC3( utf-8";

/* Counts a check under the name of its row. */
static void ask(int holds, const char *name, const char *what) {
    char text[200];
    snprintf(text, sizeof text, "%s: %s", name, what);
    check_true(holds, text, "row", 0);
}

static void ask_int(int32_t got, int32_t want, const char *name, const char *what) {
    char text[200];
    snprintf(text, sizeof text, "%s: %s", name, what);
    check_int(got, want, text, "row", 0);
}

/* Compares a text that the library gave, and releases it. */
static void ask_text(char *got, const char *want, const char *name, const char *what) {
    char text[200];
    snprintf(text, sizeof text, "%s: %s", name, what);
    if (want == NULL) {
        check_true(got != NULL, text, "row", 0);
    } else {
        check_text(got, want, text, "row", 0);
    }
    ssmtp_free(got);
}

static void ask_planned(ssmtp_t *smtp, int32_t code, const char *name) {
    ask_int(code, SSMTP_ERROR_PLANNED, name, "setting what is planned");
    ask(strstr(check_error(smtp), name) != NULL, name, "the error names the row");
}

static void ask_named(ssmtp_t *smtp, const char *name, const char *want, const char *what) {
    char *text = NULL;
    ask_int(ssmtp_get(smtp, name, &text), 0, name, "reading by name");
    ask_text(text, want, name, what);
}

void row_text(const char *name, get_text get, set_text set, const char *want, const char *sample, int flags) {
    ssmtp_t *smtp = ssmtp_new();
    char *text = NULL;
    ask_int(get(smtp, &text), 0, name, "reading the default");
    ask_text(text, want, name, "default");
    ask_named(smtp, name, want, "default by name");
    if (set != NULL) {
        ask_int(set(smtp, BROKEN), SSMTP_ERROR_VALUE_REFUSED, name, "setting broken UTF-8");
    }
    if (flags & ROW_ONE_LINE) {
        ask_int(set(smtp, "a\r\nb: c"), SSMTP_ERROR_VALUE_REFUSED, name, "setting CR LF");
        ask_int(set(smtp, "a\nb"), SSMTP_ERROR_VALUE_REFUSED, name, "setting LF");
        ask_int(set(smtp, "a\rb"), SSMTP_ERROR_VALUE_REFUSED, name, "setting CR");
    }
    if (flags & ROW_PLANNED) {
        ask_int(set(smtp, want), 0, name, "setting the default");
        ask_planned(smtp, set(smtp, sample), name);
    }
    if (flags & ROW_SETS) {
        text = NULL;
        ask_int(set(smtp, sample), 0, name, "setting");
        ask_int(get(smtp, &text), 0, name, "reading back");
        ask_text(text, sample, name, "round trip");
        ask_named(smtp, name, sample, "round trip by name");
        ask_int(set(smtp, NULL), 0, name, "setting NULL, which is empty");
    }
    ask_int(ssmtp_delete(smtp), 0, name, "delete");
}

void row_number(const char *name, get_number get, set_number set, int32_t want, int32_t sample, int flags) {
    ssmtp_t *smtp = ssmtp_new();
    int32_t value = -77;
    ask_int(get(smtp, &value), 0, name, "reading the default");
    ask_int(value, want, name, "default");
    if (flags & ROW_PLANNED) {
        ask_int(set(smtp, want), 0, name, "setting the default");
        ask_planned(smtp, set(smtp, sample), name);
    }
    if (flags & ROW_SETS) {
        ask_int(set(smtp, sample), 0, name, "setting");
        ask_int(get(smtp, &value), 0, name, "reading back");
        ask_int(value, sample, name, "round trip");
    }
    ask_int(ssmtp_delete(smtp), 0, name, "delete");
}

void row_refuses(const char *name, set_number set, int32_t wild) {
    ssmtp_t *smtp = ssmtp_new();
    ask_int(set(smtp, wild), SSMTP_ERROR_VALUE_REFUSED, name, "setting a number that is no member");
    ask_int(ssmtp_delete(smtp), 0, name, "delete");
}

void row_bytes(const char *name, get_bytes get, set_bytes set, const char *want, const char *sample, int flags) {
    ssmtp_t *smtp = ssmtp_new();
    uint8_t *bytes = NULL;
    size_t length = 999;
    ask_int(get(smtp, &bytes, &length), 0, name, "reading the default");
    ask(length == strlen(want) && memcmp(bytes, want, length) == 0, name, "default");
    ssmtp_free(bytes);
    if (flags & ROW_PLANNED) {
        ask_int(set(smtp, (const uint8_t *)want, strlen(want)), 0, name, "setting the default");
        ask_planned(smtp, set(smtp, (const uint8_t *)sample, strlen(sample)), name);
    }
    if (flags & ROW_SETS) {
        bytes = NULL;
        ask_int(set(smtp, (const uint8_t *)sample, strlen(sample)), 0, name, "setting");
        ask_int(get(smtp, &bytes, &length), 0, name, "reading back");
        ask(length == strlen(sample) && bytes != NULL && memcmp(bytes, sample, length) == 0, name, "round trip");
        ssmtp_free(bytes);
        ask_int(set(smtp, NULL, 0), 0, name, "setting nothing");
    }
    if (set != NULL) {
        ask_int(set(smtp, NULL, 1), SSMTP_ERROR_BAD_ARGUMENT, name, "NULL with a length");
        ask_int(set(smtp, (const uint8_t *)"x", SIZE_MAX), SSMTP_ERROR_BAD_ARGUMENT, name, "a length beyond memory");
        ask_int(set(smtp, (const uint8_t *)"x", SIZE_MAX / 2 + 1), SSMTP_ERROR_BAD_ARGUMENT, name, "a negative length");
    }
    ask_int(ssmtp_delete(smtp), 0, name, "delete");
}

void row_cert(const char *name, get_cert get, set_cert set, int flags) {
    ssmtp_t *smtp = ssmtp_new();
    ssmtp_cert_t *cert = NULL;
    char *subject = NULL;
    ask_int(get(smtp, &cert), 0, name, "reading the default");
    ask(cert != NULL, name, "the default is a certificate");
    ask_int(ssmtp_cert_get_subject(cert, &subject), 0, name, "its subject");
    ask_text(subject, "", name, "the default is empty");
    if ((flags & ROW_PLANNED) && set != NULL) {
        ask_int(set(smtp, cert), 0, name, "setting the default");
    }
    if (set != NULL) {
        ask_int(set(smtp, NULL), 0, name, "NULL removes it");
    }
    ask_int(ssmtp_cert_delete(cert), 0, name, "the copy is the caller's");
    if (set != NULL) {
        ask_int(set(smtp, cert), SSMTP_ERROR_CLOSED_HANDLE, name, "setting a certificate that is gone");
    }
    ask_int(ssmtp_delete(smtp), 0, name, "delete");
}

/* A handle that holds a certificate with its key, and that certificate. */
static ssmtp_t *holding(const char *name, set_cert set, ssmtp_cert_t **cert) {
    ssmtp_t *smtp = ssmtp_new();
    const char *store = "tests/data/certs/bundle.pem";
    *cert = NULL;
    ask_int(ssmtp_cert_new_store(SSMTP_CERT_STORE_TYPE_PEM_KEY_FILE, store, "secret", "*", NULL, cert), 0, name, store);
    ask_int(set(smtp, *cert), 0, name, "setting the certificate");
    return smtp;
}

static void released(const char *name, ssmtp_t *smtp, ssmtp_cert_t *cert) {
    ask_int(ssmtp_cert_delete(cert), 0, name, "delete");
    ask_int(ssmtp_delete(smtp), 0, name, "delete");
}

void row_field_text(const char *name, set_cert set, get_text get, int32_t (*field)(ssmtp_cert_t *, char **)) {
    ssmtp_cert_t *cert;
    ssmtp_t *smtp = holding(name, set, &cert);
    char *want = NULL, *text = NULL;
    ask_int(field(cert, &want), 0, name, "reading the field");
    ask_named(smtp, name, want, "the field, by name");
    if (get != NULL) {
        ask_int(get(smtp, &text), 0, name, "reading the row");
        ask_text(text, want, name, "the field");
    }
    ssmtp_free(want);
    released(name, smtp, cert);
}

void row_field_number(const char *name, set_cert set, get_number get, int32_t (*field)(ssmtp_cert_t *, int32_t *)) {
    ssmtp_cert_t *cert;
    ssmtp_t *smtp = holding(name, set, &cert);
    int32_t want = -77, value = -78;
    char text[16], *named = NULL;
    ask_int(field(cert, &want), 0, name, "reading the field");
    snprintf(text, sizeof text, "%d", (int)want);
    ask_int(ssmtp_get(smtp, name, &named), 0, name, "reading by name");
    ask(named != NULL && (strcmp(named, text) == 0 || strcmp(named, want ? "True" : "False") == 0), name, "by name");
    ssmtp_free(named);
    if (get != NULL) {
        ask_int(get(smtp, &value), 0, name, "reading the row");
        ask_int(value, want, name, "the field");
    }
    released(name, smtp, cert);
}

void row_field_bytes(const char *name, set_cert set, get_bytes get,
                     int32_t (*field)(ssmtp_cert_t *, uint8_t **, size_t *)) {
    ssmtp_cert_t *cert;
    ssmtp_t *smtp = holding(name, set, &cert);
    uint8_t *want = NULL, *value = NULL;
    size_t wanted = 0, length = 0;
    char *named = NULL;
    ask_int(field(cert, &want, &wanted), 0, name, "reading the field");
    ask(wanted > 0, name, "the field has octets");
    ask_int(ssmtp_get(smtp, name, &named), 0, name, "reading by name");
    ask(named != NULL && strlen(named) == (wanted + 2) / 3 * 4, name, "Base64 by name");
    ssmtp_free(named);
    if (get != NULL) {
        ask_int(get(smtp, &value, &length), 0, name, "reading the row");
        ask(length == wanted && value != NULL && memcmp(value, want, length) == 0, name, "the field");
        ssmtp_free(value);
    }
    ssmtp_free(want);
    released(name, smtp, cert);
}

/* A handle with two recipients, and headers to read. */
static ssmtp_t *filled(void) {
    ssmtp_t *smtp = ssmtp_new();
    EQ(ssmtp_set_from(smtp, "a@a.example"), 0);
    EQ(ssmtp_set_message_recipient_address(smtp, 0, "b@b.example"), 0);
    EQ(ssmtp_set_message_recipient_address(smtp, 1, "c@c.example"), 0);
    return smtp;
}

static const int32_t BEYOND[] = {INT32_MIN, -1, 1000000, INT32_MAX};

void row_text_at(const char *name, int32_t (*get)(ssmtp_t *, int32_t, char **),
                 int32_t (*set)(ssmtp_t *, int32_t, const char *), const char *sample) {
    ssmtp_t *smtp = ssmtp_new();
    char *text = NULL;
    size_t i;
    ask_int(get(smtp, 0, &text), SSMTP_ERROR_INDEX, name, "reading an empty list");
    ask_int(ssmtp_delete(smtp), 0, name, "delete");
    smtp = filled();
    for (i = 0; i < sizeof BEYOND / sizeof *BEYOND; i++) {
        ask_int(get(smtp, BEYOND[i], &text), SSMTP_ERROR_INDEX, name, "reading beyond the end");
        ask(text == NULL, name, "the output is left alone");
        if (set != NULL) {
            ask_int(set(smtp, BEYOND[i], sample), SSMTP_ERROR_INDEX, name, "setting beyond the end");
        }
    }
    ask_int(get(smtp, 0, &text), 0, name, "reading");
    ask(text != NULL, name, "the output is written");
    ssmtp_free(text);
    if (set != NULL) {
        text = NULL;
        ask_int(set(smtp, 1, BROKEN), SSMTP_ERROR_VALUE_REFUSED, name, "setting broken UTF-8");
        ask_int(set(smtp, 1, "a\r\nb: c"), SSMTP_ERROR_VALUE_REFUSED, name, "setting CR LF");
        ask_int(set(smtp, 1, sample), 0, name, "setting");
        ask_int(get(smtp, 1, &text), 0, name, "reading back");
        ask_text(text, sample, name, "round trip");
    }
    ask_int(ssmtp_delete(smtp), 0, name, "delete");
}

void row_number_at(const char *name, int32_t (*get)(ssmtp_t *, int32_t, int32_t *),
                   int32_t (*set)(ssmtp_t *, int32_t, int32_t), int32_t sample) {
    ssmtp_t *smtp = filled();
    int32_t value = -77;
    size_t i;
    for (i = 0; i < sizeof BEYOND / sizeof *BEYOND; i++) {
        ask_int(get(smtp, BEYOND[i], &value), SSMTP_ERROR_INDEX, name, "reading beyond the end");
        ask_int(value, -77, name, "the output is left alone");
        ask_int(set(smtp, BEYOND[i], sample), SSMTP_ERROR_INDEX, name, "setting beyond the end");
    }
    ask_int(get(smtp, 1, &value), 0, name, "reading");
    ask_int(value, 0, name, "default");
    ask_int(set(smtp, 1, sample), 0, name, "setting");
    ask_int(get(smtp, 1, &value), 0, name, "reading back");
    ask_int(value, sample, name, "round trip");
    ask_int(set(smtp, 1, 9999), SSMTP_ERROR_VALUE_REFUSED, name, "a number that is no member");
    ask_int(ssmtp_delete(smtp), 0, name, "delete");
}

static const int32_t ANY[] = {INT32_MIN, -1, 0, 1, INT32_MAX};

void row_absent_text(const char *name, int32_t (*get)(ssmtp_t *, int32_t, char **)) {
    ssmtp_t *smtp = ssmtp_new();
    char *text = NULL;
    size_t i;
    for (i = 0; i < sizeof ANY / sizeof *ANY; i++) {
        ask_int(get(smtp, ANY[i], &text), SSMTP_ERROR_INDEX, name, "reading an empty list");
    }
    ask(text == NULL, name, "the output is left alone");
    ask_int(ssmtp_delete(smtp), 0, name, "delete");
}

void row_absent_number(const char *name, int32_t (*get)(ssmtp_t *, int32_t, int32_t *)) {
    ssmtp_t *smtp = ssmtp_new();
    int32_t value = -77;
    size_t i;
    for (i = 0; i < sizeof ANY / sizeof *ANY; i++) {
        ask_int(get(smtp, ANY[i], &value), SSMTP_ERROR_INDEX, name, "reading an empty list");
    }
    ask_int(value, -77, name, "the output is left alone");
    ask_int(ssmtp_delete(smtp), 0, name, "delete");
}

void row_named(const char *name, const char *want, const char *sample, int flags) {
    ssmtp_t *smtp = ssmtp_new();
    ask_named(smtp, name, want, "default by name");
    if (flags & ROW_PLANNED) {
        ask_int(ssmtp_set(smtp, name, want), 0, name, "setting the default");
        ask_planned(smtp, ssmtp_set(smtp, name, sample), name);
    }
    if (flags & ROW_SETS) {
        ask_int(ssmtp_set(smtp, name, sample), 0, name, "setting by name");
        ask_named(smtp, name, sample, "round trip by name");
    }
    ask_int(ssmtp_delete(smtp), 0, name, "delete");
}

void row_object(const char *name) {
    ssmtp_t *smtp = ssmtp_new();
    char *text = NULL;
    ask_int(ssmtp_get(smtp, name, &text), SSMTP_ERROR_ACCESS, name, "reading an object by name");
    ask_int(ssmtp_set(smtp, name, "x"), SSMTP_ERROR_ACCESS, name, "setting an object by name");
    ask(text == NULL, name, "the output is left alone");
    ask_int(ssmtp_delete(smtp), 0, name, "delete");
}

static void ask_config(ssmtp_t *smtp, const char *name, const char *want, const char *what) {
    char *text = NULL;
    ask_int(ssmtp_config(smtp, name, &text), 0, name, "reading");
    ask_text(text, want, name, what);
}

static int32_t configure(ssmtp_t *smtp, const char *name, const char *value) {
    char line[1000];
    snprintf(line, sizeof line, "%s=%s", name, value);
    return ssmtp_config(smtp, line, NULL);
}

void row_setting(const char *name, const char *want, const char *sample, const char *refused, int flags) {
    ssmtp_t *smtp = ssmtp_new();
    ask_config(smtp, name, want, "default");
    if (refused != NULL) {
        ask_int(configure(smtp, name, refused), SSMTP_ERROR_VALUE_REFUSED, name, "a value out of its range");
    }
    if (flags & ROW_ONE_LINE) {
        ask_int(configure(smtp, name, "a\r\nb: c"), SSMTP_ERROR_VALUE_REFUSED, name, "setting CR LF");
    }
    if (flags & ROW_PLANNED) {
        ask_int(configure(smtp, name, want), 0, name, "setting the default");
        ask_planned(smtp, configure(smtp, name, sample), name);
    }
    if (flags & ROW_SETS) {
        char *text = NULL;
        char line[1000];
        snprintf(line, sizeof line, "%s=%s", name, sample);
        ask_int(ssmtp_config(smtp, line, &text), 0, name, "setting");
        ask_text(text, "", name, "setting returns an empty text");
        ask_config(smtp, name, sample, "round trip");
    }
    ask_int(ssmtp_delete(smtp), 0, name, "delete");
}

void row_read_only_setting(const char *name, const char *want) {
    ssmtp_t *smtp = ssmtp_new();
    ask_config(smtp, name, want, "default");
    ask_int(configure(smtp, name, "x"), SSMTP_ERROR_ACCESS, name, "setting what is read-only");
    ask_int(ssmtp_delete(smtp), 0, name, "delete");
}

void row_planned_call(const char *name, ssmtp_t *handle, int32_t code) { ask_planned(handle, code, name); }
