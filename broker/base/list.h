/*
 * A doubly linked list whose links lie inside the elements. The head is a link
 * too, so no case is special. A link that is in no list points to itself or is
 * all zero; list_remove() is harmless then.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

#define list_entry(link, type, member) \
	((type *)(void *)((char *)(link)-offsetof(type, member)))

/* The body may remove the element it stands on. */
#define list_for_each(at, after, head)                                  \
	for ((at) = (head)->next, (after) = (at)->next; (at) != (head); \
	     (at) = (after), (after) = (at)->next)

static inline void list_init(struct list *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
	return !head->next || head->next == head;
}

static inline bool list_linked(const struct list *link)
{
	return !list_empty(link);
}

static inline void list_append(struct list *head, struct list *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

static inline void list_remove(struct list *link)
{
	if (!link->next)
		return;
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* Move all of from behind what to holds; from is empty then. */
static inline void list_take_all(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

static inline struct list *list_first(const struct list *head)
{
	return list_empty(head) ? NULL : head->next;
}

#endif
