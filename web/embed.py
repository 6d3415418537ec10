#!/usr/bin/env python3
"""embed.py MANIFEST OPENAPI OUT.c: the dashboard's files and openapi.json as a
C file that the assembler fills with their bytes (.incbin)."""
import gzip
import hashlib
import os
import sys

manifest, openapi, out = sys.argv[1:]
folder = os.path.dirname(os.path.abspath(manifest))


def quote(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def blob(name, file):
    """A symbol with the file's bytes; its expression as a struct slice."""
    blobs.append(
        f'__asm__(".pushsection .rodata\\n"\n'
        f'\t".global {name}\\n"\n'
        f'\t"{name}:\\n"\n'
        f'\t".incbin " {quote(quote(file))} "\\n"\n'
        f'\t".global {name}_end\\n"\n'
        f'\t"{name}_end:\\n"\n'
        f'\t".byte 0\\n"\n'
        f'\t".popsection\\n");\n'
        f'extern const uint8_t {name}[], {name}_end[];\n')
    return f'{{ {name}, {name}_end }}'


def entry(path, kind, file, cache):
    number = len(entries)
    with open(file, 'rb') as f:
        etag = hashlib.sha256(f.read()).hexdigest()[:16]
    parts = [blob(f'asset_{number}', file)]
    for form in 'gz', 'br':
        packed = f'{file}.{form}'
        known = os.path.exists(packed)
        parts.append(blob(f'asset_{number}_{form}', packed) if known
                     else '{ NULL, NULL }')
    entries.append(
        f'\t{{ {quote(path)}, {quote(kind)}, {quote(etag)},\n'
        f'\t  {"true" if cache == "immutable" else "false"},\n'
        f'\t  {{ {", ".join(parts)} }} }},\n')


blobs, entries = [], []
with open(manifest, encoding='utf-8') as f:
    for line in f:
        path, kind, file, cache = line.rstrip('\n').split('\t')
        entry(path, kind, os.path.join(folder, file), cache)

packed = os.path.join(os.path.dirname(os.path.abspath(out)), 'openapi.json')
with open(openapi, 'rb') as f:
    text = f.read()
with open(packed, 'wb') as f:
    f.write(text)
with open(packed + '.gz', 'wb') as f:
    f.write(gzip.compress(text, mtime=0))
entry('/api/v1/openapi.json', 'application/json', packed, 'no-cache')

with open(out, 'w', encoding='utf-8') as f:
    f.write('/* Made by web/embed.py. */\n#include "web/assets.h"\n\n')
    f.write('\n'.join(blobs))
    f.write('\nconst struct asset assets_table[] = {\n')
    f.write(''.join(entries))
    f.write('};\nconst size_t assets_count = '
            'sizeof(assets_table) / sizeof(assets_table[0]);\n')
