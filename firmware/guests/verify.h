// The part of the probe `blk` that checks data: patterns that tell sector, generation and word.
#pragma once

#include "support/block_device.h"
#include "support/random.h"

namespace probe {

// Writes, overwrites and reads back with random places, sizes, segments and depths, then zeroes,
// discards, flushes, asks for the serial number and tries what must be refused. Zero when all is
// right; else it has printed what is wrong.
int verify(Machine& machine, BlockDevice& disk);

}  // namespace probe
