/*
 * Room on the disk out of history.db: its oldest day is dropped and the file made
 * smaller. Belongs to the store's thread.
 */
#ifndef DB_HISTORY_SHRINK_H
#define DB_HISTORY_SHRINK_H

#include <stdint.h>

struct sqlite3;

/* Never the day given. 1: done; 0: there is no other; or a negative errno: nothing
 * is dropped, or it is and the file has not become smaller yet. */
int history_shrink(struct sqlite3 *sqlite, uint32_t day);

#endif
