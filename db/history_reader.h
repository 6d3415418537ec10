/*
 * Inside of db_history (history.h), for the modules that answer its questions.
 */
#ifndef DB_HISTORY_READER_H
#define DB_HISTORY_READER_H

struct db_history;
struct sqlite3;

struct sqlite3 *history_reader_sqlite(struct db_history *history);

/* All statements between see the same rows. */
int history_reader_begin(struct db_history *history);
void history_reader_end(struct db_history *history);

#endif
