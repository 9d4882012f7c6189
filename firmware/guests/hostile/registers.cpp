// Status transitions out of order, features at the wrong time, and the common structure read and
// written in every wrong way.
#include "hostile/hostile.h"

namespace probe {
namespace {

void set_features(Hostile& h, uint32_t low, uint32_t high) {
    VirtioDevice& device = h.device();
    device.set<uint32_t>(common::driver_feature_select, 0);
    device.set<uint32_t>(common::driver_feature, low);
    device.set<uint32_t>(common::driver_feature_select, 1);
    device.set<uint32_t>(common::driver_feature, high);
}

template <typename T>
void read_all(uint64_t begin, uint64_t end) {
    for (uint64_t address = begin; address + sizeof(T) <= end; ++address) mmio_read<T>(address);
}

template <typename T>
void write_all(uint64_t begin, uint64_t end, T value) {
    for (uint64_t address = begin; address + sizeof(T) <= end; ++address) {
        mmio_write<T>(address, value);
    }
}

// Every width at every offset, aligned or not.
void read_widths(uint64_t begin, uint64_t end) {
    read_all<uint8_t>(begin, end);
    read_all<uint16_t>(begin, end);
    read_all<uint32_t>(begin, end);
    read_all<uint64_t>(begin, end);
}
void write_widths(uint64_t begin, uint64_t end, uint64_t value) {
    write_all<uint8_t>(begin, end, static_cast<uint8_t>(value));
    write_all<uint16_t>(begin, end, static_cast<uint16_t>(value));
    write_all<uint32_t>(begin, end, static_cast<uint32_t>(value));
    write_all<uint64_t>(begin, end, value);
}

const Case statuses[] = {
    {"driver_ok_from_reset",
     [](Hostile& h) {
         h.device().reset(h.machine().clock);
         h.device().set_status(status::driver_ok);
         h.queue().ring();
     }},
    {"driver_ok_without_features_ok",
     [](Hostile& h) {
         h.reset_to_driver();
         h.device().set_status(status::acknowledge | status::driver | status::driver_ok);
         h.queue().ring();
     }},
    {"features_ok_from_reset",
     [](Hostile& h) {
         h.device().reset(h.machine().clock);
         h.device().set_status(status::features_ok);
     }},
    {"status_all_ones",
     [](Hostile& h) {
         h.device().reset(h.machine().clock);
         h.device().set_status(0xff);
     }},
    {"status_all_ones_while_running", [](Hostile& h) { h.device().set_status(0xff); }},
    {"status_failed", [](Hostile& h) { h.device().set_status(h.device().get_status() | 0x80); }},
    {"status_bits_taken_back",
     [](Hostile& h) {
         h.device().set_status(status::acknowledge);
         h.queue().ring();
     }},
    {"reset_with_requests_on_the_way",
     [](Hostile& h) {
         for (int round = 0; round < 50; ++round) {
             const Segment segment{h.buffer(), 64 * 1024};
             for (uint16_t i = 0; i < 16; ++i) h.disk().submit(i, block::read, 0, &segment, 1);
             h.disk().publish();
             h.require(h.disk().restart(h.machine().clock), "reset under load failed");
         }
     }},
    {"reset_storm",
     [](Hostile& h) {
         for (int i = 0; i < 500; ++i) h.device().set_status(0);
         h.require(h.device().reset(h.machine().clock), "reset never finished");
     }},
};

const Case features[] = {
    {"features_after_features_ok",
     [](Hostile& h) {
         h.reset_to_features();
         set_features(h, 0, 0);
         set_features(h, ~0u, ~0u);
     }},
    {"features_while_running", [](Hostile& h) { set_features(h, ~0u, ~0u); }},
    {"features_not_offered",
     [](Hostile& h) {
         h.reset_to_driver();
         set_features(h, ~0u, ~0u);
         const uint8_t wanted = status::acknowledge | status::driver | status::features_ok;
         h.device().set_status(wanted);
         h.refused(!(h.device().get_status() & status::features_ok),
                   "features that were not offered were accepted");
     }},
    {"features_without_version_1",
     [](Hostile& h) {
         h.reset_to_driver();
         set_features(h, 0, 0);
         h.device().set_status(status::acknowledge | status::driver | status::features_ok);
     }},
    {"feature_words_that_do_not_exist",
     [](Hostile& h) {
         h.reset_to_driver();
         for (const uint32_t select : {2u, 3u, 31u, 0x80000000u, ~0u}) {
             h.device().set<uint32_t>(common::device_feature_select, select);
             h.require(h.device().get<uint32_t>(common::device_feature) == 0,
                       "a feature word that does not exist is not zero");
             h.device().set<uint32_t>(common::driver_feature_select, select);
             h.device().set<uint32_t>(common::driver_feature, ~0u);
         }
     }},
};

const Case widths[] = {
    {"common_read_in_every_width",
     [](Hostile& h) {
         read_widths(h.device().common_address(), h.device().common_address() + 72);
     }},
    {"common_write_ones_in_every_width",
     [](Hostile& h) {
         h.reset_to_driver();
         write_widths(h.device().common_address(), h.device().common_address() + 64, ~uint64_t{0});
     }},
    {"common_write_zero_in_every_width",
     [](Hostile& h) {
         write_widths(h.device().common_address(), h.device().common_address() + 64, 0);
     }},
    {"device_config_in_every_width",
     [](Hostile& h) {
         const uint64_t begin = h.device().device_address();
         read_widths(begin, begin + 96);
         write_widths(begin, begin + 96, ~uint64_t{0});
         write_widths(begin, begin + 96, 0);
     }},
    {"isr_in_every_width",
     [](Hostile& h) {
         const uint64_t begin = h.device().isr_address();
         read_widths(begin, begin + 16);
         write_widths(begin, begin + 16, ~uint64_t{0});
     }},
    {"device_config_at_the_end",
     [](Hostile& h) {
         const uint64_t page = h.device().device_address() & ~uint64_t{4095};
         read_widths(page + 4080, page + 4096);
         write_widths(page + 4080, page + 4096, ~uint64_t{0});
     }},
    {"vectors_out_of_range",
     [](Hostile& h) {
         h.reset_to_features();
         h.device().set<uint16_t>(common::config_vector, 0x1234);
         h.require(h.device().get<uint16_t>(common::config_vector) == 0xffff,
                   "a config vector out of range was accepted");
         h.device().set<uint16_t>(common::queue_select, 0);
         h.device().set<uint16_t>(common::queue_vector, 0x7fff);
         h.require(h.device().get<uint16_t>(common::queue_vector) == 0xffff,
                   "a queue vector out of range was accepted");
     }},
};

}  // namespace

void run_register_cases(Hostile& hostile) {
    hostile.run(statuses);
    hostile.run(features);
    hostile.run(widths);
}

}  // namespace probe
