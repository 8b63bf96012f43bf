/* ssmtp, the command-line tool: what its files share. */
#ifndef SSMTP_CLI_H
#define SSMTP_CLI_H

#include "ssmtp.h"
#include <stdio.h>

/* Exit codes, as sysexits.h and sendmail have them. */
enum {
    DONE = 0,
    BAD_USAGE = 64,     /* the command line */
    BAD_DATA = 65,      /* an address, a message, a certificate */
    NO_INPUT = 66,      /* a file that cannot be read */
    NO_HOST = 68,       /* a name that does not resolve */
    UNAVAILABLE = 69,   /* refused for good, or no connection */
    INTERNAL = 70,
    NO_OUTPUT = 74,     /* standard output cannot be written */
    TEMPORARY = 75,     /* worth trying again: 4xx, a timeout, a lost connection */
    NOT_TRUSTED = 76,   /* TLS or the server's certificate */
    NO_PERMISSION = 77  /* the login */
};

typedef struct {
    ssmtp_t *smtp;
    int verbose;         /* -v: the transcript; -vv: TLS and connection too */
    int progress;        /* 1 yes, 0 no, -1 when standard error is a terminal */
    const char *sign;    /* key store to sign with */
    const char *sign_password;
    const char *identity; /* key store for the TLS login */
    const char *identity_password;
    int encrypt;
    int help;
    const char *queue;   /* folder to queue in, or NULL */
    const char *save;    /* file to write the message to, or NULL */
    const char *words[64]; /* what is no option */
    int word_count;
    int passed_over;     /* messages and recipients that could not be sent */
} job;

/* options.c: reads the command line into the handle; 0 or an exit code, with the reason said. */
int read_options(job *j, int argc, char **argv);
void print_options(FILE *out);

/* input.c: a whole file, or standard input for "-"; NULL with the reason said. Octets, with a NUL behind. */
char *read_file(const char *path, size_t *length);
/* input.c: the first line of a file; a variable of the environment; what is typed at the terminal. NULL as above. */
char *read_secret(const char *path);
char *secret_of_environment(const char *name);
char *ask_secret(const char *question);
/* input.c: wipes and frees what these three gave. */
void forget(char *secret);
void wipe(char *secret, size_t length);

/* show.c */
void show_events(job *j);
void show_results(job *j);
void show_server(job *j);
int show_certificate(const char *path, const char *password);
/* show.c: says what is wrong with a key store and gives the exit code for it. */
int store_failed(const char *path, int32_t code);
/* show.c: says what went wrong and gives the exit code for it. */
int failed(job *j, const char *what, int32_t code);

#endif
