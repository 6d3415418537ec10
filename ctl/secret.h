/*
 * Passwords and tokens: from a file, or from the terminal without echo, never
 * from the command line, where every user of the machine can read them.
 */
#ifndef CTL_SECRET_H
#define CTL_SECRET_H

#include <stddef.h>
#include <stdio.h>

#define SECRET_MAX 1024 /* bytes; PASSWORD_MAX of the hub */

/*
 * The first line of a file ("-": of in), in memory for secret_free(). Returns 0;
 * -EINVAL: empty or longer than SECRET_MAX; -ENOMEM; or why it cannot be read.
 */
int secret_from_file(const char *path, FILE *in, char **out);

/* Asked at the terminal, whatever standard input is. -ENXIO: there is none. */
int secret_ask(const char *prompt, char **out);

/* Wiped first. NULL does nothing. */
void secret_free(char *secret);

#endif
