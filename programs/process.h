/*
 * What hearthd asks of the system for itself as a process, before it has threads.
 */
#ifndef PROGRAMS_PROCESS_H
#define PROGRAMS_PROCESS_H

/* Descriptors that no client of the broker may take: the dashboard must be
 * reachable, and state be saved, when they all come at once. The web side has at
 * most 128 (web/limits.h) and the databases, logs and threads a few dozen. */
#define PROCESS_OTHER_DESCRIPTORS 192

/* As many descriptors as we may have, and memory given back to the system. */
void process_prepare(void);

/* How many connections of those wanted leave enough descriptors for all else;
 * half of all where there are few. Fewer than wanted are logged. Call it after
 * process_prepare(). */
unsigned int process_connections(unsigned int wanted);

/* The program of this name that lies beside ours, in memory the caller frees; NULL
 * when out of memory. */
char *process_beside(const char *name);

/* Where the dashboard is, on standard output. */
struct config;
void process_print_dashboard(const struct config *config, unsigned int port);

#endif
