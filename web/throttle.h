/*
 * Slows down guessing of passwords, for each address and for each user name.
 * WEB_LOGIN_FREE wrong ones cost nothing; then each doubles the wait. Attempts
 * under way are bounded too, as many at once would all pass before the first is
 * counted. A name's wait is shorter than an address's, as else anybody could
 * lock its owner out. Time is passed in. The web thread's alone.
 */
#ifndef WEB_THROTTLE_H
#define WEB_THROTTLE_H

#include <stdint.h>

struct throttle;

struct throttle *throttle_new(void);
void throttle_free(struct throttle *throttle);

/* Milliseconds until wrong passwords let another attempt through; 0: now. */
uint64_t throttle_wait(struct throttle *throttle, const char *address,
		       const char *user, uint64_t now);

/* The same, and also not more than may be under way. 0: throttle_end() must
 * follow. */
uint64_t throttle_begin(struct throttle *throttle, const char *address,
			const char *user, uint64_t now);

enum throttle_result {
	THROTTLE_WRONG,
	THROTTLE_RIGHT, /* clears the user, not the address: else who has one
			 * good password could guess for others without end */
	THROTTLE_UNKNOWN, /* not answered: counts for nothing */
};
void throttle_end(struct throttle *throttle, const char *address,
		  const char *user, enum throttle_result result, uint64_t now);

#endif
