/*
 * What a failed sync leaves behind: the system has given the bytes up and takes
 * them for clean. Whoever reads gets them, a later sync succeeds, and the card
 * does not have them. The thread that saw the sync fail writes them again; but one
 * that starts after it was killed would take over a write-ahead log with a hole,
 * where the log would end after the next power cut, whatever was written and
 * synced behind it.
 */
#ifndef DB_REREAD_H
#define DB_REREAD_H

/*
 * Let the next reader of the database's log get what the card has. Best effort: a
 * file system in memory keeps its bytes, and they are all there is. Before anybody
 * opens it.
 */
void reread_log(int dir_fd, const char *database);

#endif
