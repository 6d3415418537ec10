/*
 * What hearthd asks of the system for itself as a process, before it has threads.
 */
#ifndef PROGRAMS_PROCESS_H
#define PROGRAMS_PROCESS_H

/* As many descriptors as we may have, and memory given back to the system. */
void process_prepare(void);

#endif
