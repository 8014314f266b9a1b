#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Makes the table of system calls' names from what the preprocessor says: make-names.py OUTPUT COMPILER...
import re
import subprocess
import sys

macros = subprocess.run(sys.argv[2:] + ['-E', '-dM', '-include', 'sys/syscall.h', '-x', 'c', '/dev/null'],
                        check=True, capture_output=True, text=True).stdout
names = sorted(set(re.findall(r'^#define SYS_([a-z0-9_]+) ', macros, re.MULTILINE)))
with open(sys.argv[1], 'w', encoding='utf-8') as output:
    for name in names:
        output.write(f'  [SYS_{name}] = "{name}",\n')
