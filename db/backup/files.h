/*
 * Files and directories below the data directory, for this folder: made for
 * nobody else, found without following links, belonging to whoever the directory
 * belongs to, also when root restores.
 */
#ifndef DB_BACKUP_FILES_H
#define DB_BACKUP_FILES_H

#include <stdint.h>

/* Make it if it is not there. Returns a descriptor or a negative errno. */
int files_open_dir(int dir, const char *name);
/* A new file, or one that is emptied. The same. */
int files_create(int dir, const char *name);
/* The directory and what is in it, three levels deep at most. Returns 0, also
 * when there is none, or a negative errno. */
int files_remove_tree(int dir, const char *name);
/* Whether so much can be written, and some remain for everybody else: 0, or
 * -ENOSPC; *free: how much there is. */
#define FILES_SPARE ((uint64_t)32 * 1024 * 1024)
int files_space(int dir, uint64_t bytes, uint64_t *free);
/* "20261121T033000Z". */
#define FILES_STAMP_SIZE 24
void files_stamp(int64_t ms, char out[FILES_STAMP_SIZE]);
/* -1: it is no such stamp. */
int64_t files_stamp_parse(const char *text);

#endif
