/*
 * Where traces are kept: <data_dir>/trace, mode 0700, the newest
 * LIMIT_TRACE_FILES. The web thread's alone.
 */
#ifndef WEB_TRACE_DIR_H
#define WEB_TRACE_DIR_H

struct db;

#define TRACE_NAME_SIZE 40

/* A new file, named by the time. Returns its descriptor or a negative errno. */
int trace_dir_new(const struct db *db, char name[TRACE_NAME_SIZE]);
/* It is in use: the oldest of the others go if they are too many. */
void trace_dir_trim(const struct db *db, const char *name);
/* Take away one that has not come to be used. */
void trace_dir_remove(const struct db *db, const char *name);

#endif
