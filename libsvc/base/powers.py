#!/usr/bin/env python3
"""Writes powers.c, the powers of ten by which doubles become decimals (see powers.h).

    powers.py > powers.c
"""
LOWEST, HIGHEST = -292, 324  # as in powers.h


def entry(k):
    """10^k * 2^(127 - floor(log2(10^k))), rounded up."""
    power = 10 ** abs(k)
    if k < 0:
        return -(-(1 << 127 + power.bit_length()) // power)
    shift = 128 - power.bit_length()
    return power << shift if shift >= 0 else -(-power >> -shift)


print('/* Made by powers.py. */')
print('#include "libsvc/base/powers.h"')
print()
print('const uint64_t svc__powers_of_ten[POWERS_HIGHEST - POWERS_LOWEST + 1][2] = {')
for k in range(LOWEST, HIGHEST + 1):
    print(f'    {{0x{entry(k) >> 64:016x}, 0x{entry(k) & (1 << 64) - 1:016x}}}, /* 1e{k} */')
print('};')
