/*
 * What comes after a power cut: the house is opened on what the card is left
 * with, all clients come back to it, and what they were promised is looked for.
 */
#ifndef TESTS_CRASH_AFTERMATH_H
#define TESTS_CRASH_AFTERMATH_H

#include "tests/crash/card.h"
#include "tests/crash/house.h"
#include "tests/crash/model.h"
#include "tests/crash/rng.h"

/* The house is made and closed, before and after. m: what the clients know when
 * the power fails, and then what they find; a copy, as a rule. The clock is put
 * back. Returns false when a promise is broken: m->wrong. */
bool aftermath_look(struct house *house, const struct card *card,
		    enum card_kind kind, struct rng *dice, struct model *m);

#endif
