/*
 * Leave out of a transaction what a later operation of the same transaction
 * undoes: a message that everybody has acknowledged meanwhile need not be
 * written at all.
 */
#ifndef DB_ELIDE_H
#define DB_ELIDE_H

struct list;

/* Mark operations dead in the batches of the list, which are one transaction.
 * When memory is short fewer are marked: slower, never wrong. */
void elide(struct list *batches);

#endif
