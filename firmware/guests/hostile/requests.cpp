// Well-formed chains with requests that a disk must refuse.
#include "hostile/hostile.h"

namespace probe {
namespace {

// A segment of discard and write-zeroes.
struct Range {
    uint64_t sector;
    uint32_t count;
    uint32_t flags;
};

void ranges(Hostile& h, uint32_t type, Range range, uint32_t length = sizeof(Range)) {
    fill_bytes(h.buffer(), 0, 4096);
    *at<Range>(h.buffer()) = range;
    h.chain({h.header(type, 0), h.out(length), h.status()});
    h.go();
    // A device without the feature answers "unsupported", which is as good.
    h.refused(h.answer() != block::ok, "a bad range was called a success");
}

void transfer(Hostile& h, uint32_t type, uint64_t sector, uint32_t length) {
    const Piece data = type == block::write ? h.out(length) : h.in(length);
    h.chain({h.header(type, sector), data, h.status()});
    h.go_refused();
}

const Case transfers[] = {
    {"read_behind_end", [](Hostile& h) { transfer(h, block::read, h.disk().sectors(), 512); }},
    {"read_across_end", [](Hostile& h) { transfer(h, block::read, h.disk().sectors() - 1, 1024); }},
    {"write_behind_end", [](Hostile& h) { transfer(h, block::write, h.disk().sectors(), 512); }},
    {"write_across_end",
     [](Hostile& h) { transfer(h, block::write, h.disk().sectors() - 1, 1024); }},
    {"read_last_number", [](Hostile& h) { transfer(h, block::read, ~uint64_t{0}, 512); }},
    {"read_offset_wraps", [](Hostile& h) { transfer(h, block::read, uint64_t{1} << 55, 512); }},
    {"write_offset_wraps",
     [](Hostile& h) { transfer(h, block::write, (uint64_t{1} << 55) + 1, 512); }},
    {"read_half_sector", [](Hostile& h) { transfer(h, block::read, 0, 100); }},
    {"write_half_sector", [](Hostile& h) { transfer(h, block::write, 64, 700); }},
    {"unknown_type", [](Hostile& h) { transfer(h, 0x7fffffff, 0, 512); }},
    {"type_of_scsi", [](Hostile& h) { transfer(h, 2, 0, 512); }},
    {"flush_with_data",
     [](Hostile& h) {
         h.chain({h.header(block::flush, 5), h.out(512), h.status()});
         h.go();
     }},
    {"get_id_short",
     [](Hostile& h) {
         fill_bytes(h.buffer(), 0xee, 64);
         h.chain({h.header(block::get_id, 0), h.in(3), h.status()});
         h.go();
         h.require(at<uint8_t>(h.buffer())[3] == 0xee, "the serial number ran over its buffer");
     }},
    {"get_id_long",
     [](Hostile& h) {
         h.chain({h.header(block::get_id, 0), h.in(4096), h.status()});
         h.go();
     }},
    {"get_id_without_buffer",
     [](Hostile& h) {
         h.chain({h.header(block::get_id, 0), h.status()});
         h.go();
     }},
    {"get_id_readable",
     [](Hostile& h) {
         h.chain({h.header(block::get_id, 0), h.out(20), h.status()});
         h.go_refused();
     }},
    {"more_segments_than_allowed",
     [](Hostile& h) {
         const Piece header = h.header(block::read, 0);
         auto* table = at<Descriptor>(h.table());
         constexpr uint16_t count = 256;  // a full page: header, 254 times 512 bytes, status
         table[0] = {header.address, header.length, descriptor_next, 1};
         for (uint16_t i = 1; i + 1 < count; ++i) {
             table[i] = {h.buffer() + 512u * i, 512, descriptor_next | descriptor_write,
                         static_cast<uint16_t>(i + 1)};
         }
         const Piece status = h.status();
         table[count - 1] = {status.address, 1, descriptor_write, 0};
         h.queue().descriptor(0) = {h.table(), count * 16, descriptor_indirect, 0};
         h.queue().add(0);
         h.go();
     }},
};

const Case wide[] = {
    {"discard_nothing",
     [](Hostile& h) {
         h.chain({h.header(block::discard, 0), h.status()});
         h.go_refused();
     }},
    {"discard_half_segment", [](Hostile& h) { ranges(h, block::discard, {64, 8, 0}, 15); }},
    {"discard_behind_end",
     [](Hostile& h) { ranges(h, block::discard, {h.disk().sectors(), 8, 0}); }},
    {"discard_across_end",
     [](Hostile& h) { ranges(h, block::discard, {h.disk().sectors() - 1, 8, 0}); }},
    {"discard_wraps", [](Hostile& h) { ranges(h, block::discard, {~uint64_t{0} - 3, 8, 0}); }},
    {"discard_offset_wraps",
     [](Hostile& h) { ranges(h, block::discard, {uint64_t{1} << 55, 8, 0}); }},
    {"discard_too_much", [](Hostile& h) { ranges(h, block::discard, {0, 0xffffffff, 0}); }},
    {"discard_unknown_flags", [](Hostile& h) { ranges(h, block::discard, {64, 8, 0xfffffffe}); }},
    {"discard_with_unmap", [](Hostile& h) { ranges(h, block::discard, {64, 8, 1}); }},
    {"write_zeroes_behind_end",
     [](Hostile& h) { ranges(h, block::write_zeroes, {h.disk().sectors(), 8, 0}); }},
    {"write_zeroes_too_much",
     [](Hostile& h) { ranges(h, block::write_zeroes, {0, 0xffffffff, 0}); }},
    {"write_zeroes_unknown_flags",
     [](Hostile& h) { ranges(h, block::write_zeroes, {64, 8, 0x80000000}); }},
    {"write_zeroes_wraps",
     [](Hostile& h) { ranges(h, block::write_zeroes, {~uint64_t{0}, 0xffffffff, 0}); }},
    {"discard_one_good_one_bad",
     [](Hostile& h) {
         fill_bytes(h.buffer(), 0, 64);
         at<Range>(h.buffer())[0] = {64, 8, 0};
         at<Range>(h.buffer())[1] = {h.disk().sectors(), 1, 0};
         h.chain({h.header(block::discard, 0), h.out(32), h.status()});
         h.go_refused();
     }},
    {"discard_many_segments",
     [](Hostile& h) {
         fill_bytes(h.buffer(), 0, 128 * 1024);
         h.chain({h.header(block::discard, 0), h.out(128 * 1024), h.status()});
         h.go_refused();
     }},
    {"write_zeroes_into_writable",
     [](Hostile& h) {
         h.chain({h.header(block::write_zeroes, 0), h.in(16), h.status()});
         h.go_refused();
     }},
};

}  // namespace

void run_request_cases(Hostile& hostile) {
    hostile.run(transfers);
    hostile.run(wide);
}

}  // namespace probe
