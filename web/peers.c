#include "web/peers.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "web/address.h"

/* A place is free when its key is empty. Walked whole for every connection:
 * some hundred short strings. */
struct place {
	char key[ADDRESS_KEY_SIZE];
};

struct peers {
	size_t total;
	size_t per_address;
	size_t count;
	struct place places[];
};

struct peers *peers_new(size_t total, size_t per_address)
{
	struct peers *peers;

	peers = calloc(1, sizeof(*peers) + total * sizeof(peers->places[0]));
	if (!peers)
		return NULL;
	peers->total = total;
	peers->per_address = per_address;
	return peers;
}

void peers_free(struct peers *peers)
{
	free(peers);
}

int peers_enter(struct peers *peers, const struct sockaddr *address)
{
	char key[ADDRESS_KEY_SIZE];
	size_t same = 0;
	int place = -1;

	if (peers->count == peers->total)
		return -ENFILE;
	address_key(address, key);
	for (size_t i = 0; i < peers->total; i++) {
		if (!peers->places[i].key[0]) {
			if (place < 0)
				place = (int)i;
		} else if (strcmp(peers->places[i].key, key) == 0) {
			same++;
		}
	}
	if (same >= peers->per_address && !address_is_loopback(address))
		return -EUSERS;
	assert(place >= 0);
	memcpy(peers->places[place].key, key, sizeof(key));
	peers->count++;
	return place;
}

void peers_leave(struct peers *peers, int place)
{
	if (place < 0)
		return;
	assert((size_t)place < peers->total && peers->places[place].key[0]);
	peers->places[place].key[0] = '\0';
	peers->count--;
}

size_t peers_count(const struct peers *peers)
{
	return peers->count;
}
