#include "devices/legacy/cmos.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/units.h"
#include "vmm/layout.h"

namespace sheaf::legacy {

namespace {

// Bytes of the clock (MC146818A data sheet, figure 9 and table 3).
constexpr std::uint8_t at_seconds = 0x00;
constexpr std::uint8_t at_minutes = 0x02;
constexpr std::uint8_t at_hours = 0x04;
constexpr std::uint8_t at_weekday = 0x06;
constexpr std::uint8_t at_day = 0x07;
constexpr std::uint8_t at_month = 0x08;
constexpr std::uint8_t at_year = 0x09;
constexpr std::uint8_t at_a = 0x0a;
constexpr std::uint8_t at_b = 0x0b;
constexpr std::uint8_t at_c = 0x0c;
constexpr std::uint8_t at_d = 0x0d;
constexpr std::uint8_t at_century = vmm::layout::cmos_century;

constexpr std::uint8_t a_update_in_progress = 0x80;
constexpr std::uint8_t a_writable = 0x7f;
constexpr std::uint8_t a_32768_hz = 0x26;  // the divider of a PC's crystal, 1024 Hz
constexpr std::uint8_t b_set = 0x80;
constexpr std::uint8_t b_binary = 0x04;
constexpr std::uint8_t b_24_hours = 0x02;
constexpr std::uint8_t c_update_ended = 0x10;
constexpr std::uint8_t d_valid = 0x80;
constexpr std::uint8_t hour_afternoon = 0x80;
constexpr std::uint8_t hour_mask = 0x7f;

constexpr std::uint8_t index_mask = 0x7f;  // the highest bit masks NMIs

// How long before it changes the time is announced to change.
constexpr auto update_notice = std::chrono::microseconds{244};
constexpr auto one_second = std::chrono::seconds{1};

constexpr bool is_time(std::uint8_t index) {
    return index == at_seconds || index == at_minutes || index == at_hours ||
           (index >= at_weekday && index <= at_year) || index == at_century;
}

// Stores the lowest `count` bytes at `index`; a larger value becomes the largest there is.
void put(std::span<std::uint8_t> memory, std::uint8_t index, std::size_t count,
         std::uint64_t value) {
    value = std::min(value, (std::uint64_t{1} << 8 * count) - 1);
    for (auto& byte : memory.subspan(index, count)) {
        byte = static_cast<std::uint8_t>(value);
        value >>= 8;
    }
}

}  // namespace

Cmos::Cmos(const WallClock& clock, const Equipment& equipment) : clock_(clock) {
    constexpr auto base = vmm::layout::low_memory_end.value();
    const auto beyond = [&](std::uint64_t start) {
        return equipment.memory_below_4g - std::min(start, equipment.memory_below_4g);
    };
    put(memory_, 0x15, 2, base / 1_KiB);
    put(memory_, 0x17, 2, beyond(1_MiB) / 1_KiB);
    put(memory_, 0x30, 2, beyond(1_MiB) / 1_KiB);
    put(memory_, 0x34, 2, beyond(16_MiB) / 64_KiB);
    put(memory_, 0x5b, 3, equipment.memory_above_4g / 64_KiB);
    put(memory_, 0x5f, 1, equipment.cpus - 1);
    memory_[at_a] = a_32768_hz;
    memory_[at_b] = b_24_hours;
    flags_read_at_ = std::chrono::floor<std::chrono::seconds>(clock_.now());
}

void Cmos::read(std::uint64_t offset, std::span<std::byte> data) {
    const std::lock_guard lock{mutex_};
    for (auto& byte : data)
        byte = std::byte{offset++ == 0 ? std::uint8_t{0xff} : read_memory(index_)};
}

void Cmos::write(std::uint64_t offset, std::span<const std::byte> data) {
    const std::lock_guard lock{mutex_};
    for (const auto byte : data) {
        const auto value = std::to_integer<std::uint8_t>(byte);
        if (offset++ == 0) {
            index_ = value & index_mask;
        } else {
            write_memory(index_, value);
        }
    }
}

std::uint8_t Cmos::read_memory(std::uint8_t index) {
    if (is_time(index) && !is_set()) show(guest_now());
    switch (index) {
        case at_a:
            if (about_to_update()) return memory_[at_a] | a_update_in_progress;
            return memory_[at_a];
        case at_c: return read_flags();
        case at_d: return d_valid;
        default: return memory_[index];
    }
}

// A byte of the time that is written while the clock runs changes it at once.
void Cmos::write_memory(std::uint8_t index, std::uint8_t value) {
    switch (index) {
        case at_a: memory_[at_a] = value & a_writable; return;
        case at_b: return write_control(value);
        case at_c:
        case at_d: return;
        default: break;
    }
    if (!is_time(index) || is_set()) {
        memory_[index] = value;
        return;
    }
    show(guest_now());
    memory_[index] = value;
    if (const auto time = shown()) offset_ = *time - clock_.now();
}

// While SET is on the time stands still and may be written byte by byte; it runs on from there. One
// that does not exist is as if it had not been written.
void Cmos::write_control(std::uint8_t value) {
    const bool was_set = is_set();
    const auto set_time = was_set && !(value & b_set) ? shown() : std::nullopt;
    memory_[at_b] = value;
    if (!was_set && is_set()) show(guest_now());
    if (set_time) offset_ = *set_time - clock_.now();
}

// Nothing raises an interrupt, but that a second has passed can be asked for.
std::uint8_t Cmos::read_flags() {
    const auto second = std::chrono::floor<std::chrono::seconds>(guest_now());
    if (is_set() || std::exchange(flags_read_at_, second) == second) return 0;
    return c_update_ended;
}

bool Cmos::about_to_update() const {
    const auto now = guest_now();
    return !is_set() &&
           std::chrono::floor<std::chrono::seconds>(now) + one_second - now <= update_notice;
}

bool Cmos::is_set() const {
    return (memory_[at_b] & b_set) != 0;
}

void Cmos::show(TimePoint time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const auto date = std::chrono::year_month_day{day};
    const auto of_day = std::chrono::hh_mm_ss{std::chrono::floor<std::chrono::seconds>(time - day)};
    const auto year = static_cast<unsigned>(std::clamp(static_cast<int>(date.year()), 0, 9999));
    memory_[at_seconds] = encode(static_cast<unsigned>(of_day.seconds().count()));
    memory_[at_minutes] = encode(static_cast<unsigned>(of_day.minutes().count()));
    memory_[at_hours] = encode_hour(static_cast<unsigned>(of_day.hours().count()));
    memory_[at_weekday] = encode(std::chrono::weekday{day}.c_encoding() + 1);
    memory_[at_day] = encode(static_cast<unsigned>(date.day()));
    memory_[at_month] = encode(static_cast<unsigned>(date.month()));
    memory_[at_year] = encode(year % 100);
    memory_[at_century] = encode(year / 100);
}

// The weekday follows from the date, whatever was written there.
std::optional<Cmos::TimePoint> Cmos::shown() const {
    const auto second = decode(memory_[at_seconds], 0, 59);
    const auto minute = decode(memory_[at_minutes], 0, 59);
    const auto hour = decode_hour(memory_[at_hours]);
    const auto day = decode(memory_[at_day], 1, 31);
    const auto month = decode(memory_[at_month], 1, 12);
    const auto year = decode(memory_[at_year], 0, 99);
    const auto century = decode(memory_[at_century], 0, 99);
    if (!second || !minute || !hour || !day || !month || !year || !century) return std::nullopt;
    const auto full_year = static_cast<int>(*century * 100 + *year);
    const auto date =
        std::chrono::year{full_year} / static_cast<int>(*month) / static_cast<int>(*day);
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
           std::chrono::seconds{*second};
}

std::uint8_t Cmos::encode(unsigned value) const {
    const auto digits = value / 10 << 4 | value % 10;
    return static_cast<std::uint8_t>(memory_[at_b] & b_binary ? value : digits);
}

std::optional<unsigned> Cmos::decode(std::uint8_t value, unsigned least, unsigned most) const {
    unsigned number = value;
    if (!(memory_[at_b] & b_binary)) {
        if ((value & 0xf) > 9 || value >> 4 > 9) return std::nullopt;
        number = (value >> 4) * 10U + (value & 0xf);
    }
    if (number < least || number > most) return std::nullopt;
    return number;
}

std::uint8_t Cmos::encode_hour(unsigned hour) const {
    if (memory_[at_b] & b_24_hours) return encode(hour);
    const auto of_half = encode((hour + 11) % 12 + 1);
    return static_cast<std::uint8_t>(of_half | (hour >= 12 ? hour_afternoon : 0));
}

std::optional<unsigned> Cmos::decode_hour(std::uint8_t value) const {
    if (memory_[at_b] & b_24_hours) return decode(value, 0, 23);
    const auto of_half = decode(value & hour_mask, 1, 12);
    if (!of_half) return std::nullopt;
    return *of_half % 12 + (value & hour_afternoon ? 12 : 0);
}

}  // namespace sheaf::legacy
