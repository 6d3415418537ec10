#include "tests/gpio/logic_bench.h"

struct bench bench;

int bench_setup(void **state)
{
	*state = &bench;
	bench = (struct bench){ .now = 1000000 };
	logic_init(&bench.logic, bench.now);
	logic_hub(&bench.logic, true, bench.now);
	return 0;
}

void bench_run(void)
{
	struct logic_action action;
	struct logic_verdict answer;

	while (logic_act(&bench.logic, bench.now, &action)) {
		if (bench.broken[action.output])
			logic_failed(&bench.logic, &action, bench.now);
		else
			logic_done(&bench.logic, &action, action.on, bench.now);
	}
	while (logic_answer(&bench.logic, &answer))
		if (answer.token == bench.tokens)
			bench.last = answer;
}

void bench_add(unsigned int output, bool reads_on, bool told,
	       const struct logic_memory *memory)
{
	struct logic_start start = { reads_on, told, memory };

	logic_add(&bench.logic, output, &bench.rules[output], start, bench.now);
}

void bench_begin(void)
{
	for (unsigned int i = 0; i < 3; i++)
		bench_add(i, false, false, NULL);
	bench_run();
	bench.now += UINT64_C(10) * 1000 * 1000;
	bench_run();
}

void bench_pass(uint64_t ms)
{
	uint64_t end = bench.now + ms;

	while (logic_next(&bench.logic, bench.now) < end) {
		bench.now = logic_next(&bench.logic, bench.now);
		bench_run();
	}
	bench.now = end;
	bench_run();
}

enum logic_result bench_order_for(unsigned int output, enum logic_verb verb,
				  uint64_t on_time, uint64_t lease)
{
	struct logic_command command = { verb, on_time, lease };

	bench.last = logic_order(&bench.logic, output, &command, ++bench.tokens,
				 bench.now);
	if (bench.last.result == LOGIC_ACCEPTED)
		bench_run();
	return bench.last.result;
}

enum logic_result bench_order(unsigned int output, enum logic_verb verb)
{
	return bench_order_for(output, verb, 0, 0);
}

bool bench_on(unsigned int output)
{
	return bench.logic.output[output].now.on;
}
