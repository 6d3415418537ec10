#!/bin/sh
# The checks themselves: each must refuse a tree with one fault of its kind, and
# accept it without.
cd "$(dirname "$0")" || exit 2
tree=$(mktemp -d) || exit 2
trap 'rm -rf "$tree"' EXIT
bad=0

# refuses CHECK FILE TEXT
refuses() {
	rm -rf "$tree"
	mkdir -p "$tree/broker/wire" "$tree/broker/base" \
		"$tree/broker/match" "$tree/broker/client" "$tree/db" "$tree/web" \
		"$tree/gpio" "$tree/ctl" "$tree/programs" "$tree/etc" "$tree/tests"
	if ! "./$1" "$tree" >/dev/null; then
		echo "$1 refuses a tree without a fault"
		bad=1
	fi
	cp ../.clang-format "$tree"
	printf '%b' "$3" >"$tree/$2"
	if "./$1" "$tree" >/dev/null; then
		echo "$1 accepts $2 with: $3" | head -n 1
		bad=1
	fi
}

lines() {
	printf "$1"
	awk -v n="$2" 'BEGIN { for (i = 0; i < n; i++) printf "\\tx();\\n" }'
	printf "$3"
}

refuses check_layers.sh broker/wire/a.c '#include "broker/broker.h"\n'
refuses check_layers.sh broker/base/a.c '#include "broker/wire/topic.h"\n'
refuses check_layers.sh broker/a.c '#include "db/db.h"\n'
refuses check_layers.sh broker/a.h '# include <sqlite3.h>\n'
refuses check_layers.sh broker/match/a.c '#include "broker/session/session.h"\n'
refuses check_layers.sh broker/client/a.c '#include "broker/broker.h"\n'
refuses check_layers.sh db/a.c '#include "broker/broker.h"\n'
refuses check_layers.sh web/a.c '#include "gpio/board.h"\n'
refuses check_layers.sh gpio/a.c '#include "db/pins.h"\n'
refuses check_layers.sh ctl/a.c '#include "broker/wire/topic.h"\n'
refuses check_banned.sh db/a.c 'void f(char *s)\n{\n\tstrcpy(s, "");\n}\n'
refuses check_banned.sh tests/a.c 'int x = atoi("1"); /* yes */\n'
refuses check_sizes.sh web/a.c "$(lines 'void f(void)\n{\n' 71 '}\n')"
refuses check_sizes.sh web/a.c "$(lines 'int a[] = {\n' 600 '};\n')"
refuses check_format.sh web/a.c 'int f(void) { return 1; }\n'
refuses check_man.sh web/a.8 '.Dd now\n.Dt A 8\n.Os\n.Sh NAME\n.Bogus\n'
refuses check_man.sh etc/hearth.conf '#no_such_key = 1\n'

# misses WHAT FILE SED: the table of statements, with one fault put in by sed.
misses() {
	cp "$2" "$tree/kept"
	sed -i "$3" "$tree/tests/$2"
	if ./check_conformance.sh "$tree" >/dev/null; then
		echo "check_conformance.sh accepts $1"
		bad=1
	fi
	cp "$tree/kept" "$tree/tests/$2"
}

rm -rf "$tree"
mkdir -p "$tree/tests"
cp -R conformance broker wire "$tree/tests"
if ! ./check_conformance.sh "$tree" >/dev/null; then
	echo "check_conformance.sh refuses a tree without a fault"
	bad=1
fi

misses "a statement left out" conformance/statements.tsv 7d
misses "a statement without a test" conformance/statements.tsv \
	'7s/\ttest_[a-z0-9_]*\t/\t\t/'
misses "a statement that stands twice" conformance/statements.tsv \
	'7{h;d};8{s/.*//;G;s/^\n//;p}'
misses "a test that is not there" conformance/test_qos.c \
	's/test_a_refused_identifier_is_free/test_renamed/'
misses "a test that is not run" conformance/test_qos.c \
	'/DIALOGUE(test_a_refused_identifier_is_free)/d'
misses "a program that is not built" conformance/meson.build "s/'qos',//"

exit $bad
