// Queues set up wrong: sizes, addresses, half of it, at the wrong time; and doorbells of nothing.
#include "hostile/hostile.h"

namespace probe {
namespace {

constexpr uint64_t beyond_memory = uint64_t{1} << 40;
constexpr uint64_t pci_hole = 0xd8000000;

struct Rings {
    uint64_t descriptors, available, used;
};

Rings good_rings(Hostile& h) {
    const Virtqueue& queue = h.queue();
    return {queue.descriptors_address(), queue.available_address(), queue.used_address()};
}

void select(Hostile& h, uint16_t index) {
    h.device().set<uint16_t>(common::queue_select, index);
}

void place(Hostile& h, const Rings& rings) {
    h.device().set_address(common::queue_descriptors, rings.descriptors);
    h.device().set_address(common::queue_available, rings.available);
    h.device().set_address(common::queue_used, rings.used);
}

// A device set up with these rings, started and rung.
void start_with(Hostile& h, const Rings& rings) {
    h.reset_to_features();
    select(h, 0);
    h.device().set<uint16_t>(common::queue_size, h.queue().size());
    place(h, rings);
    h.device().set<uint16_t>(common::queue_enable, 1);
    h.device().start();
    h.queue().ring();
    h.queue().ring();
    // The queue cannot work, so nothing is asked of it: back to a state in which it is not used.
    h.device().get_status();
    h.device().reset(h.machine().clock);
}

// A size that must not be taken: after FEATURES_OK and before the queue is enabled.
void refuse_size(Hostile& h, uint16_t size) {
    h.reset_to_features();
    select(h, 0);
    const uint16_t largest = h.device().get<uint16_t>(common::queue_size);
    h.device().set<uint16_t>(common::queue_size, size);
    place(h, good_rings(h));
    h.device().set<uint16_t>(common::queue_enable, 1);
    const uint16_t now = h.device().get<uint16_t>(common::queue_size);
    const bool enabled = h.device().get<uint16_t>(common::queue_enable) == 1;
    const bool sane = now != 0 && (now & (now - 1)) == 0 && now <= largest;
    const bool marked = h.device().get_status() & status::needs_reset;
    h.refused(sane || !enabled || marked, "a queue of that size was enabled");
    h.device().start();
    h.queue().ring();
    h.device().reset(h.machine().clock);
}

const Case sizes[] = {
    {"queue_size_zero", [](Hostile& h) { refuse_size(h, 0); }},
    {"queue_size_three", [](Hostile& h) { refuse_size(h, 3); }},
    {"queue_size_too_large", [](Hostile& h) { refuse_size(h, 0x8000); }},
    {"queue_size_all_ones", [](Hostile& h) { refuse_size(h, 0xffff); }},
    {"queue_size_while_running",
     [](Hostile& h) {
         select(h, 0);
         h.device().set<uint16_t>(common::queue_size, 2);
         h.device().set<uint16_t>(common::queue_size, 0);
     }},
};

const Case addresses[] = {
    {"descriptors_beyond_memory",
     [](Hostile& h) {
         Rings rings = good_rings(h);
         rings.descriptors = beyond_memory;
         start_with(h, rings);
     }},
    {"available_beyond_memory",
     [](Hostile& h) {
         Rings rings = good_rings(h);
         rings.available = beyond_memory;
         start_with(h, rings);
     }},
    {"used_beyond_memory",
     [](Hostile& h) {
         Rings rings = good_rings(h);
         rings.used = beyond_memory;
         start_with(h, rings);
     }},
    {"rings_in_pci_hole",
     [](Hostile& h) { start_with(h, {pci_hole, pci_hole + 4096, pci_hole + 8192}); }},
    {"rings_that_wrap",
     [](Hostile& h) { start_with(h, {~uint64_t{0} - 15, ~uint64_t{0} - 1, ~uint64_t{0} - 3}); }},
    {"rings_across_end_of_memory",
     [](Hostile& h) {
         const uint64_t end = h.machine().arena.end();
         start_with(h, {end - 16, end - 2, end - 4});
     }},
    {"rings_unaligned",
     [](Hostile& h) { start_with(h, {h.buffer() + 1, h.buffer() + 8193, h.buffer() + 12289}); }},
    {"rings_on_top_of_each_other",
     [](Hostile& h) { start_with(h, {h.buffer(), h.buffer(), h.buffer()}); }},
    {"rings_at_zero", [](Hostile& h) { start_with(h, {0, 0, 0}); }},
    {"addresses_while_running",
     [](Hostile& h) {
         select(h, 0);
         place(h, {beyond_memory, beyond_memory, beyond_memory});
     }},
};

const Case orders[] = {
    {"driver_ok_without_queues",
     [](Hostile& h) {
         h.reset_to_features();
         h.device().start();
         h.queue().ring();
         h.device().reset(h.machine().clock);
     }},
    {"driver_ok_with_half_a_queue",
     [](Hostile& h) {
         h.reset_to_features();
         select(h, 0);
         h.device().set<uint16_t>(common::queue_size, 8);
         h.device().set_address(common::queue_descriptors, h.queue().descriptors_address());
         h.device().start();
         h.queue().ring();
         h.device().reset(h.machine().clock);
     }},
    {"enable_without_addresses",
     [](Hostile& h) {
         h.reset_to_features();
         select(h, 0);
         h.device().set<uint16_t>(common::queue_enable, 1);
         h.device().start();
         h.queue().ring();
         h.device().reset(h.machine().clock);
     }},
    {"enable_before_features_ok",
     [](Hostile& h) {
         h.reset_to_driver();
         select(h, 0);
         place(h, good_rings(h));
         h.device().set<uint16_t>(common::queue_enable, 1);
         h.queue().ring();
     }},
    {"enable_again",
     [](Hostile& h) {
         select(h, 0);
         h.device().set<uint16_t>(common::queue_enable, 1);
     }},
    {"enable_with_zero_and_two",
     [](Hostile& h) {
         select(h, 0);
         h.device().set<uint16_t>(common::queue_enable, 2);
         h.device().set<uint16_t>(common::queue_enable, 0xffff);
         h.device().set<uint16_t>(common::queue_enable, 0);
     }},
    {"enable_while_running",
     [](Hostile& h) {
         for (uint16_t i = 1; i < 4; ++i) {
             select(h, i);
             place(h, good_rings(h));
             h.device().set<uint16_t>(common::queue_enable, 1);
         }
     }},
    {"queues_that_do_not_exist",
     [](Hostile& h) {
         for (const uint16_t index :
              {uint16_t{64}, uint16_t{1024}, uint16_t{0x7fff}, uint16_t{0xffff}}) {
             select(h, index);
             h.require(h.device().get<uint16_t>(common::queue_size) == 0,
                       "a queue that does not exist has a size");
             h.device().set<uint16_t>(common::queue_size, 8);
             h.device().set<uint16_t>(common::queue_vector, 0);
             place(h, good_rings(h));
             h.device().set<uint16_t>(common::queue_enable, 1);
             h.refused(h.device().get<uint16_t>(common::queue_enable) == 0,
                       "a queue that does not exist was enabled");
         }
         select(h, 0);
     }},
    {"doorbell_before_driver_ok",
     [](Hostile& h) {
         h.reset_to_features();
         h.queue().ring();
         h.device().reset(h.machine().clock);
         h.queue().ring();
     }},
    {"doorbells_of_nothing",
     [](Hostile& h) {
         const uint64_t begin = h.device().notify_address();
         for (uint64_t offset = 0; offset < 1024; offset += 2) {
             mmio_write<uint16_t>(begin + offset, static_cast<uint16_t>(offset));
         }
         mmio_write<uint16_t>(h.queue().doorbell_address(), 0xffff);
     }},
    {"doorbells_in_every_width",
     [](Hostile& h) {
         const uint64_t bell = h.queue().doorbell_address();
         for (uint64_t offset = 0; offset < 16; ++offset) {
             mmio_write<uint8_t>(bell + offset, 0);
             mmio_write<uint16_t>(bell + offset, 0xfffe);
             mmio_write<uint32_t>(bell + offset, ~0u);
             mmio_write<uint64_t>(bell + offset, ~uint64_t{0});
             mmio_read<uint8_t>(bell + offset);
             mmio_read<uint64_t>(bell + offset);
         }
     }},
    {"doorbell_storm",
     [](Hostile& h) {
         for (int i = 0; i < 5000; ++i) h.queue().ring();
     }},
};

}  // namespace

void run_queue_cases(Hostile& hostile) {
    hostile.run(sizes);
    hostile.run(addresses);
    hostile.run(orders);
}

}  // namespace probe
