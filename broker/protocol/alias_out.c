#include "broker/protocol/alias_out.h"

#include <assert.h>
#include <stdlib.h>

#include "broker/base/hash.h"
#include "broker/limits.h"

struct place {
	uint8_t *topic; /* what the client takes the alias for, or NULL */
	size_t len;
	uint64_t candidate; /* hash of the one that was last sent without it */
};

struct alias_out {
	uint16_t max;
	struct place places[];
};

struct alias_out *alias_out_new(uint16_t max)
{
	struct alias_out *table;

	assert(max > 0 && max <= LIMIT_TOPIC_ALIASES_SENT);
	table = calloc(1, sizeof(*table) + max * sizeof(table->places[0]));
	if (table)
		table->max = max;
	return table;
}

void alias_out_free(struct alias_out *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->max; i++)
		free(table->places[i].topic);
	free(table);
}

struct alias_choice alias_out_choose(struct alias_out *table,
				     struct slice topic)
{
	const uint64_t hash = hash_bytes(topic);
	const uint16_t i = (uint16_t)(hash % table->max);
	struct place *place = &table->places[i];
	struct alias_choice choice = { .alias = (uint16_t)(i + 1) };

	/* Two topics may have one hash: the bytes decide. */
	if (place->topic &&
	    slice_equal(slice_of(place->topic, place->len), topic))
		choice.known = true;
	else if (place->topic && place->candidate != hash)
		choice.alias = 0;
	place->candidate = choice.known ? 0 : hash;
	return choice;
}

void alias_out_learn(struct alias_out *table, uint16_t alias,
		     struct slice topic)
{
	struct place *place = &table->places[alias - 1];

	/* What it stood for is gone at the client in any case. */
	free(place->topic);
	place->topic = malloc(topic.len);
	place->len = topic.len;
	place->candidate = 0;
	if (place->topic)
		memcpy(place->topic, topic.data, topic.len);
}
