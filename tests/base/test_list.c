#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/base/list.h"

struct item {
	int number;
	struct list link;
};

static void test_items_come_in_the_order_they_were_appended(void **state)
{
	struct item items[3] = { { .number = 0 },
				 { .number = 1 },
				 { .number = 2 } };
	struct list head;
	struct list *at;
	struct list *after;
	int n = 0;

	(void)state;
	list_init(&head);
	assert_true(list_empty(&head));
	assert_null(list_first(&head));
	for (int i = 0; i < 3; i++)
		list_append(&head, &items[i].link);
	assert_false(list_empty(&head));
	list_for_each (at, after, &head) {
		assert_int_equal(list_entry(at, struct item, link)->number, n);
		n++;
		list_remove(at);
		assert_false(list_linked(at));
	}
	assert_int_equal(n, 3);
	assert_true(list_empty(&head));
}

static void test_removing_what_is_in_no_list_is_harmless(void **state)
{
	struct list zero = { 0 };
	struct list head;
	struct list a;
	struct list b;

	(void)state;
	list_remove(&zero);
	assert_false(list_linked(&zero));

	list_init(&head);
	list_append(&head, &a);
	list_append(&head, &b);
	list_remove(&a);
	list_remove(&a);
	assert_ptr_equal(list_first(&head), &b);
	assert_ptr_equal(b.next, &head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_items_come_in_the_order_they_were_appended),
		cmocka_unit_test(test_removing_what_is_in_no_list_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
