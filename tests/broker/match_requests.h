/* What clients ask for with a predicate, and the answers. */
#ifndef TESTS_MATCH_REQUESTS_H
#define TESTS_MATCH_REQUESTS_H

#include "tests/broker/sim_peer.h"

/* Encoded user properties "match", one for each value that is not NULL. */
struct slice match_properties(uint8_t bytes[4096], const char *one,
			      const char *two);

/* SUBSCRIBE to the filters (NULL ends them) with such properties: the answer is in
 * *out, valid until the next packet. */
void match_ask(struct sim_peer *peer, struct slice user_encoded,
	       const char *const *filters, struct mqtt_suback *out);
/* The same for one filter, which is granted. */
void match_subscribe(struct sim_peer *peer, const char *filter, uint8_t options,
		     uint32_t identifier);
/* UNSUBSCRIBE is answered with this reason. */
void match_unsubscribe(struct sim_peer *peer, const char *filter,
		       struct slice user_encoded, uint8_t expected);

#endif
