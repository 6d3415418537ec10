#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/base/hash.h"
#include "tests/failing_malloc.h"

#define MANY 1000

struct item {
	struct hash_node node;
	uint64_t name;
	bool seen;
};

/* SipHash-1-3 of 00 01 02 ... under the key 00 01 .. 0f, as OpenSSL's
 * SIPHASH with c-rounds 1, d-rounds 3 has it. */
static void test_it_is_siphash_1_3(void **state)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} vectors[] = {
		{ 0, 0xabac0158050fc4dc },  { 1, 0xc9f49bf37d57ca93 },
		{ 3, 0x8bf80ab8e7ddf7fb },  { 7, 0xd3927d989bb11140 },
		{ 8, 0x369095118d299a8e },  { 9, 0x25a48eb36c063de4 },
		{ 15, 0xd320d86d2a519956 }, { 16, 0xcc4fdd1a7d908b66 },
		{ 63, 0x9d199062b7bbb3a8 },
	};
	const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	uint8_t bytes[64];

	(void)state;
	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct slice s = slice_of(bytes, vectors[i].len);

		assert_int_equal(hash_bytes_keyed(key, s), vectors[i].hash);
	}
}

static void test_the_key_is_drawn_at_start(void **state)
{
	const uint64_t zero[2] = { 0, 0 };
	struct slice s = slice_str("home/hall");

	(void)state;
	hash_seed();
	assert_int_not_equal(hash_bytes(s), hash_bytes_keyed(zero, s));
	assert_int_equal(hash_bytes(s), hash_bytes(slice_str("home/hall")));
	assert_int_not_equal(hash_bytes(s), hash_bytes(slice_str("home/halk")));
}

static struct item *find(const struct hash_table *table, uint64_t hash,
			 uint64_t name)
{
	struct hash_node *node = hash_table_first(table, hash);

	for (; node; node = hash_table_next(node)) {
		struct item *item = hash_entry(node, struct item, node);

		assert_int_equal(node->hash, hash);
		if (item->name == name)
			return item;
	}
	return NULL;
}

static void add_many(struct hash_table *table, struct item *items)
{
	for (uint64_t i = 0; i < MANY; i++) {
		items[i].name = i;
		items[i].seen = false;
		/* Three of each hash: equal hashes are not equal keys. */
		hash_table_add(table, &items[i].node, i / 3);
	}
	assert_int_equal(table->count, MANY);
}

static void test_what_was_added_is_found_until_removed(void **state)
{
	static struct item items[MANY];
	struct hash_table table;

	(void)state;
	assert_int_equal(hash_table_init(&table), 0);
	assert_null(find(&table, 0, 0));
	add_many(&table, items);
	assert_true(table.mask >= MANY / 2);
	for (uint64_t i = 0; i < MANY; i++)
		assert_ptr_equal(find(&table, i / 3, i), &items[i]);

	for (uint64_t i = 0; i < MANY; i += 2)
		hash_table_remove(&table, &items[i].node);
	assert_int_equal(table.count, MANY / 2);
	for (uint64_t i = 0; i < MANY; i++)
		assert_ptr_equal(find(&table, i / 3, i),
				 i % 2 ? &items[i] : NULL);
	hash_table_free(&table);
}

static void test_a_walk_meets_each_once_and_may_remove(void **state)
{
	static struct item items[MANY];
	struct hash_table table;
	struct hash_node *node;
	struct hash_node *next;
	size_t slot = 0;
	size_t n = 0;

	(void)state;
	assert_int_equal(hash_table_init(&table), 0);
	assert_null(hash_table_walk(&table, &slot, NULL));
	add_many(&table, items);

	slot = 0;
	for (node = hash_table_walk(&table, &slot, NULL); node; node = next) {
		struct item *item = hash_entry(node, struct item, node);

		next = hash_table_walk(&table, &slot, node);
		assert_false(item->seen);
		item->seen = true;
		hash_table_remove(&table, node);
		n++;
	}
	assert_int_equal(n, MANY);
	assert_int_equal(table.count, 0);
	hash_table_free(&table);
}

static void test_without_memory_chains_grow_and_nothing_is_lost(void **state)
{
	static struct item items[MANY];
	struct hash_table table;
	size_t slots;

	(void)state;
	failing_malloc_arm(0);
	assert_int_equal(hash_table_init(&table), -ENOMEM);
	assert_true(failing_malloc_disarm());

	assert_int_equal(hash_table_init(&table), 0);
	slots = table.mask + 1;
	for (uint64_t i = 0; i < MANY; i++) {
		items[i].name = i;
		failing_malloc_arm(0);
		hash_table_add(&table, &items[i].node, i);
		assert_int_equal(failing_malloc_disarm(), i >= slots);
	}
	assert_int_equal(table.mask + 1, slots);
	for (uint64_t i = 0; i < MANY; i++)
		assert_ptr_equal(find(&table, i, i), &items[i]);
	hash_table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_siphash_1_3),
		cmocka_unit_test(test_the_key_is_drawn_at_start),
		cmocka_unit_test(test_what_was_added_is_found_until_removed),
		cmocka_unit_test(test_a_walk_meets_each_once_and_may_remove),
		cmocka_unit_test(
			test_without_memory_chains_grow_and_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
