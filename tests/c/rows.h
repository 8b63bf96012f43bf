/* What the generated test asks of each row of the API description. Every check makes a handle of its own. */
#ifndef ROWS_H
#define ROWS_H

#include "check.h"

/* Says what a row is allowed to do. */
enum {
    ROW_PLANNED = 1,  /* takes its default, refuses everything else with 606 and a text that names it */
    ROW_ONE_LINE = 2, /* refuses CR and LF with 603 */
    ROW_SETS = 4      /* is set to its sample and reads it back */
};

typedef int32_t (*get_text)(ssmtp_t *, char **);
typedef int32_t (*set_text)(ssmtp_t *, const char *);
typedef int32_t (*get_number)(ssmtp_t *, int32_t *);
typedef int32_t (*set_number)(ssmtp_t *, int32_t);
typedef int32_t (*get_bytes)(ssmtp_t *, uint8_t **, size_t *);
typedef int32_t (*set_bytes)(ssmtp_t *, const uint8_t *, size_t);
typedef int32_t (*get_cert)(ssmtp_t *, ssmtp_cert_t **);
typedef int32_t (*set_cert)(ssmtp_t *, ssmtp_cert_t *);

/* `want` NULL: the default depends on the machine and must only be readable. */
void row_text(const char *name, get_text get, set_text set, const char *want, const char *sample, int flags);
void row_number(const char *name, get_number get, set_number set, int32_t want, int32_t sample, int flags);
void row_bytes(const char *name, get_bytes get, set_bytes set, const char *want, const char *sample, int flags);
void row_cert(const char *name, get_cert get, set_cert set, int flags);
/* A number that is no member of the enumeration. */
void row_refuses(const char *name, set_number set, int32_t wild);
/* A flattened row of a certificate reads as the field of the certificate that was set. `get` NULL: by name only. */
void row_field_text(const char *name, set_cert set, get_text get, int32_t (*field)(ssmtp_cert_t *, char **));
void row_field_number(const char *name, set_cert set, get_number get, int32_t (*field)(ssmtp_cert_t *, int32_t *));
void row_field_bytes(const char *name, set_cert set, get_bytes get,
                     int32_t (*field)(ssmtp_cert_t *, uint8_t **, size_t *));
/* Rows with an index. `set` may be NULL. */
void row_text_at(const char *name, int32_t (*get)(ssmtp_t *, int32_t, char **),
                 int32_t (*set)(ssmtp_t *, int32_t, const char *), const char *sample);
void row_number_at(const char *name, int32_t (*get)(ssmtp_t *, int32_t, int32_t *),
                   int32_t (*set)(ssmtp_t *, int32_t, int32_t), int32_t sample);
/* Rows with an index that a new handle has nothing of. */
void row_absent_text(const char *name, int32_t (*get)(ssmtp_t *, int32_t, char **));
void row_absent_number(const char *name, int32_t (*get)(ssmtp_t *, int32_t, int32_t *));
/* Rows that are reachable by name only. */
void row_named(const char *name, const char *want, const char *sample, int flags);
/* Object rows. */
void row_object(const char *name);
/* `sample` NULL: not written. `refused` NULL: no text is out of its range. */
void row_setting(const char *name, const char *want, const char *sample, const char *refused, int flags);
void row_read_only_setting(const char *name, const char *want);
/* The answer of a planned method. */
void row_planned_call(const char *name, ssmtp_t *handle, int32_t code);

#endif
