/* ssmtp: the options. Most of them name a property or a setting, so most of them are a line of a table. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

typedef enum { PROPERTY, SETTING, FILE_PROPERTY, SECRET_PROPERTY, SPECIAL, FLAG, SPECIAL_FLAG } kind;

typedef struct {
    const char *name;
    kind what;
    const char *target;
    const char *value; /* how the value is called in the help */
    const char *help;
} option;

static const option table[] = {
    {"--server", SPECIAL, "", "HOST[:PORT]", "the server; [2001:db8::1]:587 for an IPv6 address"},
    {"--tls", SPECIAL, "", "MODE", "auto (by the port), implicit, starttls or none; auto is the default"},
    {"--ca", FILE_PROPERTY, "SSLServerCACerts", "FILE", "further roots (PEM) to trust"},
    {"--pin", SETTING, "SSLPinnedPublicKeys", "PIN", "sha256//… of the server's public key; several with ';'"},
    {"--identity", SPECIAL, "", "STORE", "certificate and key for the TLS login (PFX, PEM, JKS, …)"},
    {"--identity-password-file", SPECIAL, "", "FILE", "its password"},
    {"--user", PROPERTY, "User", "NAME", "log in as"},
    {"--password-file", SECRET_PROPERTY, "Password", "FILE", "the password is the first line of FILE; - is standard input"},
    {"--password-env", SPECIAL, "", "NAME", "the password is in the environment variable NAME"},
    {"--ask-password", SPECIAL_FLAG, "", "", "ask for the password at the terminal"},
    {"--auth", SETTING, "SASLMechanism", "NAME", "PLAIN, LOGIN, SCRAM-SHA-256, XOAUTH2 and so on; PLAIN or LOGIN otherwise"},
    {"--token-file", SPECIAL, "", "FILE", "an OAuth token; sets --auth XOAUTH2 unless it is given"},
    {"--proxy", SPECIAL, "", "URL", "http://, https://, socks4://, socks4a:// or socks5://[USER[:PASSWORD]@]HOST[:PORT]"},
    {"--proxy-password-file", SECRET_PROPERTY, "FirewallPassword", "FILE", "the proxy's password, which an URL would show to every user of the machine"},
    {"--timeout", PROPERTY, "Timeout", "SECONDS", "for each wait; 60 is the default"},
    {"--hello", SETTING, "Hello", "NAME", "the name said in EHLO"},
    {"--from", PROPERTY, "From", "ADDRESS", ""},
    {"--to", PROPERTY, "SendTo", "ADDRESSES", "several with ','"},
    {"--cc", PROPERTY, "Cc", "ADDRESSES", ""},
    {"--bcc", PROPERTY, "BCc", "ADDRESSES", "nobody else learns of them"},
    {"--reply-to", PROPERTY, "ReplyTo", "ADDRESS", ""},
    {"--return-path", PROPERTY, "ReturnPath", "ADDRESS", "where bounces go; <> for nowhere"},
    {"--subject", PROPERTY, "Subject", "TEXT", ""},
    {"--header", SPECIAL, "", "LINE", "a further header, such as 'X-Order: 12'; may be given more than once"},
    {"--text", PROPERTY, "MessageText", "TEXT", "the text of the message"},
    {"--text-file", FILE_PROPERTY, "MessageText", "FILE", "the text from a file; - is standard input"},
    {"--html-file", FILE_PROPERTY, "MessageHtml", "FILE", "the same text as HTML"},
    {"--attach", SPECIAL, "", "FILE", "attach a file; may be given more than once"},
    {"--message", SPECIAL, "", "FILE", "a complete message, headers and all; it goes where --from and --to say"},
    {"--sign", SPECIAL, "", "STORE", "sign with the certificate and key in STORE (S/MIME)"},
    {"--sign-password-file", SPECIAL, "", "FILE", "its password"},
    {"--encrypt-to", SPECIAL, "", "FILE", "encrypt to this certificate; may be given more than once"},
    {"--cipher", PROPERTY, "EncryptingAlgorithm", "NAME", "AESCBC256, AESGCM256 and so on"},
    {"--hash", PROPERTY, "SigningAlgorithm", "NAME", "SHA256 and so on"},
    {"--queue", SPECIAL, "", "FOLDER", "write the message into FOLDER instead of sending it"},
    {"--save", SPECIAL, "", "FILE", "write the message to FILE (.eml) instead of sending it"},
    {"--set", SPECIAL, "", "NAME=VALUE", "any property, by its name"},
    {"--config", SPECIAL, "", "NAME=VALUE", "any setting, by its name"},
    {"--modern", FLAG, "SecurityProfile=Modern", "", "TLS 1.2 or 1.3, no login without it, AES-256, SHA-256"},
    {"--progress", FLAG, "", "", "show a bar, also where standard error is no terminal"},
    {"--no-progress", FLAG, "", "", "show none"},
    {"--verbose", FLAG, "", "", "or -v: what is said, line by line; -vv: TLS and connections too"},
};
enum { COUNT = sizeof table / sizeof *table };

void print_options(FILE *out) {
    for (int n = 0; n < COUNT; n++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", table[n].name, table[n].value);
        fprintf(out, "  %-34s %s\n", left, table[n].help);
    }
}

static int bad(const char *name, const char *why) {
    fprintf(stderr, "%s: %s\n", name, why);
    return BAD_USAGE;
}

/* HOST, HOST:PORT, [v6] or [v6]:PORT; a bare IPv6 address has no port. */
static int32_t set_server(ssmtp_t *smtp, const char *text, int32_t (*set_host)(ssmtp_t *, const char *),
                          int32_t (*set_port)(ssmtp_t *, int32_t)) {
    char host[512];
    const char *port = NULL, *colon = strrchr(text, ':');
    size_t length = strlen(text);
    if (text[0] == '[') {
        const char *end = strchr(text, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':')) return SSMTP_ERROR_VALUE_REFUSED;
        length = (size_t)(end - text) - 1;
        if (end[1] == ':') port = end + 2;
        text++;
    } else if (colon != NULL && strchr(text, ':') == colon) {
        length = (size_t)(colon - text);
        port = colon + 1;
    }
    if (length >= sizeof host) return SSMTP_ERROR_VALUE_REFUSED;
    memcpy(host, text, length);
    host[length] = '\0';
    int32_t code = set_host(smtp, host);
    if (code == 0 && port != NULL) {
        char *end;
        long number = strtol(port, &end, 10);
        if (*end != '\0' || end == port || number < 1 || number > 65535) return SSMTP_ERROR_VALUE_REFUSED;
        code = set_port(smtp, (int32_t)number);
    }
    return code;
}

static int32_t set_tls(ssmtp_t *smtp, const char *mode) {
    static const struct {
        const char *name;
        int32_t mode;
    } modes[] = {{"auto", SSMTP_SSL_START_MODE_AUTOMATIC},
                 {"implicit", SSMTP_SSL_START_MODE_IMPLICIT},
                 {"starttls", SSMTP_SSL_START_MODE_EXPLICIT},
                 {"none", SSMTP_SSL_START_MODE_NONE}};
    for (size_t n = 0; n < sizeof modes / sizeof *modes; n++) {
        if (strcmp(mode, modes[n].name) == 0) return ssmtp_set_ssl_start_mode(smtp, modes[n].mode);
    }
    return SSMTP_ERROR_VALUE_REFUSED;
}

/* Takes the %XX of an URL away, in place; 0 where there is a wrong one. */
static int decode(char *text) {
    char *to = text;
    for (; *text != '\0'; text++, to++) {
        unsigned octet;
        if (*text != '%') {
            *to = *text;
        } else if (strspn(text + 1, "0123456789abcdefABCDEF") >= 2 && sscanf(text + 1, "%2x", &octet) == 1 && octet != 0) {
            *to = (char)octet;
            text += 2;
        } else {
            return 0;
        }
    }
    *to = '\0';
    return 1;
}

static int32_t set_proxy(ssmtp_t *smtp, const char *url) {
    static const struct {
        const char *scheme;
        int32_t type;
    } types[] = {{"http://", SSMTP_FIREWALL_TYPE_TUNNEL},
                 {"https://", SSMTP_FIREWALL_TYPE_TUNNEL},
                 {"socks4://", SSMTP_FIREWALL_TYPE_SOCKS4},
                 {"socks4a://", SSMTP_FIREWALL_TYPE_SOCKS4A},
                 {"socks5://", SSMTP_FIREWALL_TYPE_SOCKS5}};
    for (size_t n = 0; n < sizeof types / sizeof *types; n++) {
        size_t length = strlen(types[n].scheme);
        if (strncmp(url, types[n].scheme, length) != 0) continue;
        char copy[1024];
        if (strlen(url) >= sizeof copy) return SSMTP_ERROR_VALUE_REFUSED;
        strcpy(copy, url + length);
        int32_t code = ssmtp_set_firewall_type(smtp, types[n].type);
        /* Before the port, which it would set. */
        if (code == 0) code = ssmtp_config(smtp, n == 1 ? "FirewallTls=True" : "FirewallTls=False", NULL);
        char *host = copy, *at = strrchr(copy, '@');
        if (at != NULL && code == 0) {
            *at = '\0';
            host = at + 1;
            char *password = strchr(copy, ':');
            if (password != NULL) *password++ = '\0';
            if (!decode(copy) || (password != NULL && !decode(password))) code = SSMTP_ERROR_VALUE_REFUSED;
            if (code == 0) code = ssmtp_set_firewall_user(smtp, copy);
            if (code == 0 && password != NULL) code = ssmtp_set_firewall_password(smtp, password);
        }
        host[strcspn(host, "/")] = '\0';
        if (code == 0) code = set_server(smtp, host, ssmtp_set_firewall_host, ssmtp_set_firewall_port);
        wipe(copy, sizeof copy);
        return code;
    }
    return SSMTP_ERROR_VALUE_REFUSED;
}

static int32_t add_header(ssmtp_t *smtp, const char *line) {
    char *old = NULL;
    int32_t code = ssmtp_get_other_headers(smtp, &old);
    if (code != 0) return code;
    char *all = malloc(strlen(old) + strlen(line) + 3);
    if (all == NULL) return SSMTP_ERROR_OUT_OF_MEMORY;
    sprintf(all, "%s%s\r\n", old, line);
    ssmtp_free(old);
    code = ssmtp_set_other_headers(smtp, all);
    free(all);
    return code;
}

static int32_t by_name(ssmtp_t *smtp, const char *pair, int setting) {
    if (setting) return ssmtp_config(smtp, pair, NULL);
    const char *equal = strchr(pair, '=');
    char name[128];
    if (equal == NULL || (size_t)(equal - pair) >= sizeof name) return SSMTP_ERROR_VALUE_REFUSED;
    memcpy(name, pair, (size_t)(equal - pair));
    name[equal - pair] = '\0';
    return ssmtp_set(smtp, name, equal + 1);
}

static int32_t config(ssmtp_t *smtp, const char *name, const char *value) {
    char *pair = malloc(strlen(name) + strlen(value) + 2);
    if (pair == NULL) return SSMTP_ERROR_OUT_OF_MEMORY;
    sprintf(pair, "%s=%s", name, value);
    int32_t code = ssmtp_config(smtp, pair, NULL);
    forget(pair);
    return code;
}

static int32_t set_password(ssmtp_t *smtp, char *password) {
    if (password == NULL) return -1;
    int32_t code = ssmtp_set(smtp, "Password", password);
    forget(password);
    return code;
}

/* The options that are no line of the table. -1: something was not readable, and that was said. */
static int32_t special(job *j, const char *name, const char *value) {
    int32_t code = 0;
    size_t length;
    if (strcmp(name, "--server") == 0) return set_server(j->smtp, value, ssmtp_set_mail_server, ssmtp_set_mail_port);
    if (strcmp(name, "--tls") == 0) return set_tls(j->smtp, value);
    if (strcmp(name, "--proxy") == 0) return set_proxy(j->smtp, value);
    if (strcmp(name, "--header") == 0) return add_header(j->smtp, value);
    if (strcmp(name, "--attach") == 0) return ssmtp_add_attachment_file(j->smtp, value, NULL, NULL);
    if (strcmp(name, "--password-env") == 0) return set_password(j->smtp, secret_of_environment(value));
    if (strcmp(name, "--identity") == 0) j->identity = value;
    if (strcmp(name, "--identity-password-file") == 0) return (j->identity_password = read_secret(value)) == NULL ? -1 : 0;
    if (strcmp(name, "--sign") == 0) j->sign = value;
    if (strcmp(name, "--sign-password-file") == 0) return (j->sign_password = read_secret(value)) == NULL ? -1 : 0;
    if (strcmp(name, "--queue") == 0) j->queue = value;
    if (strcmp(name, "--save") == 0) j->save = value;
    if (strcmp(name, "--set") == 0) return by_name(j->smtp, value, 0);
    if (strcmp(name, "--config") == 0) return by_name(j->smtp, value, 1);
    if (strcmp(name, "--token-file") == 0) {
        char *token = read_secret(value), *mechanism = NULL;
        if (token == NULL) return -1;
        code = config(j->smtp, "AuthorizationIdentity", token);
        forget(token);
        if (code == 0) code = ssmtp_config(j->smtp, "SASLMechanism", &mechanism);
        if (code == 0 && mechanism[0] == '\0') code = ssmtp_set_auth_mechanism(j->smtp, SSMTP_AUTH_MECHANISM_XOAUTH2);
        ssmtp_free(mechanism);
    } else if (strcmp(name, "--message") == 0) {
        char *text = read_file(value, &length);
        if (text == NULL) return -1;
        code = ssmtp_config(j->smtp, "MessageIncludesHeaders=True", NULL);
        if (code == 0) code = ssmtp_set_message_b(j->smtp, (const uint8_t *)text, length);
        free(text);
    } else if (strcmp(name, "--encrypt-to") == 0) {
        char *text = read_file(value, &length);
        if (text == NULL) return -1;
        code = ssmtp_add_recipient_cert(j->smtp, (const uint8_t *)text, length);
        j->encrypt = 1;
        free(text);
    }
    return code;
}

static int32_t apply(job *j, const option *o, const char *value) {
    size_t length;
    char *text;
    int32_t code = 0;
    switch (o->what) {
        case PROPERTY: return ssmtp_set(j->smtp, o->target, value);
        case SETTING: return config(j->smtp, o->target, value);
        case SPECIAL: return special(j, o->name, value);
        case FILE_PROPERTY:
            if ((text = read_file(value, &length)) == NULL) return -1;
            if (strlen(text) != length) {
                fprintf(stderr, "%s holds NUL: it is no text\n", value);
                free(text);
                return -1;
            }
            code = strncmp(o->target, "SSL", 3) == 0 ? config(j->smtp, o->target, text) : ssmtp_set(j->smtp, o->target, text);
            free(text);
            return code;
        case SECRET_PROPERTY:
            if ((text = read_secret(value)) == NULL) return -1;
            code = ssmtp_set(j->smtp, o->target, text);
            forget(text);
            return code;
        case SPECIAL_FLAG: return set_password(j->smtp, ask_secret("Password: "));
        case FLAG: break;
    }
    if (o->target[0] != '\0') return ssmtp_config(j->smtp, o->target, NULL);
    if (strcmp(o->name, "--verbose") == 0) j->verbose++;
    if (strcmp(o->name, "--progress") == 0) j->progress = 1;
    if (strcmp(o->name, "--no-progress") == 0) j->progress = 0;
    return 0;
}

/* What is wrong with a file is no mistake of the command line. */
static int exit_code_of(int32_t code) {
    switch (code) {
        case -1: case SSMTP_ERROR_ATTACHED_FILE: case SSMTP_ERROR_FILE: return NO_INPUT;
        case SSMTP_ERROR_CERT_STORE: case SSMTP_ERROR_CERT_NOT_FOUND: return BAD_DATA;
        case SSMTP_ERROR_OUT_OF_MEMORY: return INTERNAL;
        default: return BAD_USAGE;
    }
}

int read_options(job *j, int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        const char *name = argv[i];
        if (name[0] != '-' || name[1] == '\0') {
            if (j->word_count == (int)(sizeof j->words / sizeof *j->words)) return bad(name, "too many arguments");
            j->words[j->word_count++] = name;
            continue;
        }
        if (name[1] == 'v' && strspn(name + 1, "v") == strlen(name + 1)) {
            j->verbose += (int)strlen(name) - 1;
            continue;
        }
        if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
            j->help = 1;
            return 0;
        }
        /* --name value or --name=value */
        size_t length = strcspn(name, "=");
        int k = 0;
        while (k < COUNT && (strlen(table[k].name) != length || strncmp(name, table[k].name, length) != 0)) k++;
        if (k == COUNT) return bad(name, "no such option; ssmtp help lists them");
        const char *value = name[length] == '=' ? name + length + 1 : NULL;
        if (table[k].what == FLAG || table[k].what == SPECIAL_FLAG) {
            if (value != NULL) return bad(table[k].name, "takes no value");
            value = "";
        } else if (value == NULL) {
            if (i + 1 == argc) return bad(name, "a value is missing behind it");
            value = argv[++i];
        }
        int32_t code = apply(j, &table[k], value);
        if (code > 0) {
            char *text = NULL;
            ssmtp_last_error(j->smtp, &text);
            fprintf(stderr, "%s: %s (error %d)\n", table[k].name, text != NULL && *text != '\0' ? text : ssmtp_error_text(code),
                    (int)code);
            ssmtp_free(text);
        }
        if (code != 0) return exit_code_of(code);
    }
    return 0;
}
