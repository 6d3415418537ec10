#!/bin/sh
# Each SQL file as a C string: db/schema/state-001.sql becomes schema_state_001.
# As bytes, because the standard lets string literals have 4095 of them only.
set -eu

out=$1
shift
{
	echo '/* Made by db/schema/embed.sh. */'
	echo '#include "db/schema/schema.h"'
	for file; do
		name=$(basename "$file" .sql | tr - _)
		echo "const char schema_$name[] = {"
		od -An -v -tu1 "$file" | sed 's/ *\([0-9][0-9]*\)/\1,/g'
		echo '0 };'
	done
} >"$out"
