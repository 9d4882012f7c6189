// Broken descriptor chains and rings.
#include "hostile/hostile.h"

namespace probe {
namespace {

constexpr uint64_t beyond_memory = uint64_t{1} << 40;
constexpr uint64_t pci_hole = 0xd8000000;

// Sets a link of the chain at descriptor 0 by hand after a legal chain was built.
Descriptor& ring_descriptor(Hostile& h, uint16_t index) {
    return h.queue().descriptor(index);
}

void read_into(Hostile& h, uint64_t address, uint32_t length) {
    h.chain({h.header(block::read, 0), {address, length, descriptor_write}, h.status()});
    h.go_refused();
}

void write_from(Hostile& h, uint64_t address, uint32_t length) {
    h.chain({h.header(block::write, 64), {address, length, 0}, h.status()});
    h.go_refused();
}

// Moves the available index by `step` without anything behind it.
void jump(Hostile& h, uint16_t step) {
    const uint64_t index = h.queue().available_address() + 2;
    mmio_write<uint16_t>(index, static_cast<uint16_t>(mmio_read<uint16_t>(index) + step));
    h.queue().ring();
    const Deadline deadline(h.machine().clock, 500);
    while (!deadline.passed() && !(h.device().get_status() & status::needs_reset)) relax();
}

const Case links[] = {
    {"next_out_of_range",
     [](Hostile& h) {
         h.chain({h.header(block::read, 0), h.in(512), h.status()});
         ring_descriptor(h, 1).next = h.queue().size();
         h.go_refused();
     }},
    {"next_far_out_of_range",
     [](Hostile& h) {
         h.chain({h.header(block::read, 0), h.in(512), h.status()});
         ring_descriptor(h, 0).next = 0xffff;
         h.go_refused();
     }},
    {"head_out_of_range",
     [](Hostile& h) {
         h.queue().add(h.queue().size());
         h.go();
     }},
    {"head_far_out_of_range",
     [](Hostile& h) {
         h.queue().add(0xffff);
         h.go();
     }},
    {"loop_of_one",
     [](Hostile& h) {
         h.chain({h.header(block::read, 0), h.in(512), h.status()});
         ring_descriptor(h, 0).next = 0;
         h.go_refused();
     }},
    {"loop_of_two",
     [](Hostile& h) {
         h.chain({h.header(block::read, 0), h.in(512), h.status()});
         ring_descriptor(h, 1).next = 0;
         h.go_refused();
     }},
    {"loop_of_all",
     [](Hostile& h) {
         const uint16_t size = h.queue().size();
         for (uint16_t i = 0; i < size; ++i) {
             ring_descriptor(h, i) = {h.buffer(), 512, descriptor_next | descriptor_write,
                                      static_cast<uint16_t>((i + 1) % size)};
         }
         const Piece header = h.header(block::read, 0);
         ring_descriptor(h, 0) = {header.address, header.length, descriptor_next, 1};
         h.queue().add(0);
         h.go_refused();
     }},
    {"same_head_twice",
     [](Hostile& h) {
         h.chain({h.header(block::read, 0), h.in(512), h.status()});
         h.queue().add(0);
         h.go();
     }},
    {"unknown_flags",
     [](Hostile& h) {
         h.chain({h.header(block::read, 0), h.in(512), h.status()});
         ring_descriptor(h, 1).flags |= 0xfff8;
         h.go();
     }},
    {"available_jumps_by_size_and_one",
     [](Hostile& h) { jump(h, static_cast<uint16_t>(h.queue().size() + 1)); }},
    {"available_jumps_by_half", [](Hostile& h) { jump(h, 0x8000); }},
    {"available_runs_back", [](Hostile& h) { jump(h, 0xffff); }},
    {"ring_of_garbage",
     [](Hostile& h) {
         Random random(h.machine().command_line.number("seed", 1));
         for (uint16_t i = 0; i < 32; ++i) {
             const auto length = static_cast<uint32_t>(random.below(1 << 20));
             const auto flags = static_cast<uint16_t>(random.next());
             const auto next = static_cast<uint16_t>(random.below(h.queue().size()));
             ring_descriptor(h, i) = {h.buffer(), length & 0x1ffff, flags, next};
             if (flags & descriptor_indirect) ring_descriptor(h, i).address = h.table();
         }
         for (uint16_t i = 0; i < 16; ++i) h.queue().add(static_cast<uint16_t>(random.below(32)));
         h.go();
     }},
};

const Case pieces[] = {
    {"huge_length", [](Hostile& h) { read_into(h, h.buffer(), 0xffffffff); }},
    {"huge_length_write", [](Hostile& h) { write_from(h, h.buffer(), 0xfffffe00); }},
    {"lengths_that_wrap",
     [](Hostile& h) {
         h.chain({h.header(block::read, 0),
                  {h.buffer(), 0x80000000, descriptor_write},
                  {h.buffer(), 0x80000200, descriptor_write},
                  h.status()});
         h.go_refused();
     }},
    {"zero_length_data",
     [](Hostile& h) {
         h.chain({h.header(block::read, 0), h.in(0), h.status()});
         h.go();
     }},
    {"zero_length_header",
     [](Hostile& h) {
         const Piece header = h.header(block::read, 0);
         h.chain({{header.address, 0, 0}, h.in(512), h.status()});
         h.go_refused();
     }},
    {"zero_length_status",
     [](Hostile& h) {
         const Piece status = h.status();
         h.chain({h.header(block::read, 0), h.in(512), {status.address, 0, descriptor_write}});
         h.go_refused();
     }},
    {"address_beyond_memory", [](Hostile& h) { read_into(h, beyond_memory, 4096); }},
    {"address_beyond_memory_write", [](Hostile& h) { write_from(h, beyond_memory, 4096); }},
    {"address_wraps", [](Hostile& h) { read_into(h, ~uint64_t{0} - 0xfff, 8192); }},
    {"address_wraps_write", [](Hostile& h) { write_from(h, ~uint64_t{0} - 511, 1024); }},
    {"address_straddles_end",
     [](Hostile& h) { read_into(h, h.machine().arena.end() - 4096, 64 << 20); }},
    {"address_in_pci_hole", [](Hostile& h) { read_into(h, pci_hole, 4096); }},
    {"address_in_own_registers",
     [](Hostile& h) { read_into(h, h.device().common_address() & ~uint64_t{4095}, 4096); }},
    {"address_in_local_apic", [](Hostile& h) { read_into(h, 0xfee00000, 4096); }},
    {"header_beyond_memory",
     [](Hostile& h) {
         h.chain({{beyond_memory, 16, 0}, h.in(512), h.status()});
         h.go_refused();
     }},
    {"status_beyond_memory",
     [](Hostile& h) {
         h.chain({h.header(block::read, 0), h.in(512), {beyond_memory, 1, descriptor_write}});
         h.go();
     }},
    {"header_alone",
     [](Hostile& h) {
         h.chain({h.header(block::read, 0)});
         h.go_refused();
     }},
    {"status_alone",
     [](Hostile& h) {
         h.chain({h.status()});
         h.go_refused();
     }},
    {"short_header",
     [](Hostile& h) {
         const Piece header = h.header(block::read, 0);
         h.chain({{header.address, 8, 0}, h.in(512), h.status()});
         h.go_refused();
     }},
    {"header_in_pieces",
     [](Hostile& h) {
         const Piece header = h.header(block::read, 0);
         h.chain({{header.address, 5, 0}, {header.address + 5, 11, 0}, h.in(512), h.status()});
         h.go_accepted();
     }},
    {"header_is_writable",
     [](Hostile& h) {
         const Piece header = h.header(block::read, 0);
         h.chain({{header.address, 16, descriptor_write}, h.in(512), h.status()});
         h.go_refused();
     }},
    {"status_is_readable",
     [](Hostile& h) {
         const Piece status = h.status();
         h.chain({h.header(block::write, 64), h.out(512), {status.address, 1, 0}});
         h.go_refused();
     }},
    {"read_into_readable",
     [](Hostile& h) {
         h.chain({h.header(block::read, 0), h.out(512), h.status()});
         h.go_refused();
     }},
    {"write_from_writable",
     [](Hostile& h) {
         h.chain({h.header(block::write, 64), h.in(512), h.status()});
         h.go_refused();
     }},
    {"readable_after_writable",
     [](Hostile& h) {
         h.chain({h.header(block::read, 0), h.in(512), h.out(512), h.status()});
         h.go_refused();
     }},
};

const Case indirects[] = {
    {"indirect_nested",
     [](Hostile& h) {
         h.indirect({h.header(block::read, 0), {h.table() + 1024, 48, descriptor_indirect}}, 32);
         h.go_refused();
     }},
    {"indirect_length_not_whole",
     [](Hostile& h) {
         h.indirect({h.header(block::read, 0), h.in(512), h.status()}, 47);
         h.go_refused();
     }},
    {"indirect_length_zero",
     [](Hostile& h) {
         h.indirect({h.header(block::read, 0), h.in(512), h.status()}, 0);
         h.go_refused();
     }},
    {"indirect_length_huge",
     [](Hostile& h) {
         h.indirect({h.header(block::read, 0), h.in(512), h.status()}, 0xfffffff0);
         h.go();
     }},
    {"indirect_too_short",
     [](Hostile& h) {
         h.indirect({h.header(block::read, 0), h.in(512), h.status()}, 32);
         h.go_refused();
     }},
    {"indirect_beyond_memory",
     [](Hostile& h) {
         h.queue().descriptor(0) = {beyond_memory, 48, descriptor_indirect, 0};
         h.queue().add(0);
         h.go();
     }},
    {"indirect_in_pci_hole",
     [](Hostile& h) {
         h.queue().descriptor(0) = {pci_hole, 48, descriptor_indirect, 0};
         h.queue().add(0);
         h.go();
     }},
    {"indirect_with_next",
     [](Hostile& h) {
         h.indirect({h.header(block::read, 0), h.in(512), h.status()}, 48, descriptor_next);
         h.queue().descriptor(1) = {h.buffer(), 512, descriptor_write, 0};
         h.go();
     }},
    {"indirect_with_write",
     [](Hostile& h) {
         h.indirect({h.header(block::read, 0), h.in(512), h.status()}, 48, descriptor_write);
         h.go_accepted();
     }},
    {"indirect_loop",
     [](Hostile& h) {
         h.indirect({h.header(block::read, 0), h.in(512), h.status()}, 48);
         at<Descriptor>(h.table())[1].next = 0;
         h.go_refused();
     }},
    {"indirect_next_out_of_range",
     [](Hostile& h) {
         h.indirect({h.header(block::read, 0), h.in(512), h.status()}, 48);
         at<Descriptor>(h.table())[1].next = 3;
         h.go_refused();
     }},
    {"indirect_unaligned",
     [](Hostile& h) {
         h.indirect({h.header(block::read, 0), h.in(512), h.status()}, 48);
         copy_bytes(h.table() + 1001, h.table(), 48);
         h.queue().descriptor(0).address = h.table() + 1001;
         h.go();
     }},
};

}  // namespace

void run_ring_cases(Hostile& hostile) {
    hostile.run(links);
    hostile.run(pieces);
    hostile.run(indirects);
}

}  // namespace probe
