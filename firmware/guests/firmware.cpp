// Stands in for UEFI firmware where none was built: looks at all that EDK II's platform reads of
// the machine (docs/devices/uefi.md), moves every disk's registers to another place as it does,
// says what the disks hold, in the order of their slots, and powers off. It starts nothing.
//
// It is given no command line: what runs by `sheaf run --firmware FILE` gets none.
#include "support/acpi.h"
#include "support/block_device.h"
#include "support/console.h"

namespace probe {
namespace {

constexpr uint64_t gibibyte = uint64_t{1} << 30;
constexpr uint64_t hole_end = 4 * gibibyte;
constexpr uint64_t moved_bars = 0xd8000000;

int fail(const char* what, uint64_t number) {
    print("FAIL firmware: {} ({x})\n", what, number);
    return 1;
}

uint8_t cmos(uint8_t index) {
    out8(0x70, index);
    return in8(0x71);
}

// CMOS counts what lies above 16 MiB in 64 KiB at 0x34, and what lies above 4 GiB at 0x5b.
int check_memory(const StartInfo& info) {
    if (info.version != 1) return fail("version of the start information", info.version);
    uint64_t below = 0;
    uint64_t above = 0;
    uint64_t end = 0;
    for (uint32_t i = 0; i < info.memory_map_entries; ++i) {
        const auto& entry = at<const MemoryMapEntry>(info.memory_map)[i];
        if (entry.address < end) return fail("the memory map is not sorted", entry.address);
        end = entry.address + entry.size;
        if (entry.type != memory_ram) continue;
        if (entry.address >= hole_end) {
            above += entry.size;
        } else {
            below = end;
        }
    }
    const uint64_t told_below = (uint64_t{cmos(0x34)} | uint64_t{cmos(0x35)} << 8) * 65536;
    const uint64_t told_above =
        (uint64_t{cmos(0x5b)} | uint64_t{cmos(0x5c)} << 8 | uint64_t{cmos(0x5d)} << 16) * 65536;
    if (told_below != below - (16 << 20)) return fail("CMOS memory below 4 GiB", told_below);
    if (told_above != above) return fail("CMOS memory above 4 GiB", told_above);
    // The last byte of each part is memory indeed.
    const uint64_t lasts[] = {below - 8, above ? hole_end + above - 8 : below - 8};
    for (const uint64_t last : lasts) {
        mmio_write<uint64_t>(last, ~last);
        if (mmio_read<uint64_t>(last) != ~last) return fail("no memory", last);
    }
    print("firmware memory below={} above={}\n", below, above);
    return 0;
}

int check_tables(uint64_t root) {
    constexpr const char* names[] = {"FACP", "APIC", "MCFG"};
    for (const char* name : names) {
        if (find_acpi_table(root, name) == 0) {
            print("FAIL firmware: no sound ACPI table {}\n", name);
            return 1;
        }
    }
    print("firmware acpi processors={}\n", processors_in_madt(root));
    return 0;
}

// 3.579545 MHz, 32 bits wide, against the TSC. A host may hold the guest up between a reading of
// one clock and of the other for as long as it likes: each reading of the timer stands between two
// of the TSC, and what the timer counted must fit between the shortest and the longest time that
// can have passed. A twentieth more is allowed for what the TSC's own frequency is known by.
int check_timer(const Clock& clock) {
    struct Reading {
        uint64_t before;
        uint32_t ticks;
        uint64_t after;
    };
    const auto read = [] {
        const uint64_t before = read_tsc();
        const uint32_t ticks = in32(0x608);
        return Reading{before, ticks, read_tsc()};
    };
    const Reading first = read();
    const Deadline end(clock, 50);
    while (!end.passed()) relax();
    const Reading last = read();
    const uint64_t passed = uint64_t{last.ticks - first.ticks} * 1'000'000'000 / 3'579'545;
    const uint64_t shortest = clock.nanoseconds(last.before - first.after);
    const uint64_t longest = clock.nanoseconds(last.after - first.before);
    if (passed < shortest - shortest / 20) return fail("the ACPI timer is slow", passed);
    if (passed > longest + longest / 20) return fail("the ACPI timer is fast", passed);
    print("firmware timer ok\n");
    return 0;
}

// As EDK II's driver of the clock: valid, then BCD or binary as register B says.
int check_clock(const Clock& time) {
    if (!(cmos(0x0d) & 0x80)) return fail("the clock's contents are not valid", cmos(0x0d));
    const bool binary = cmos(0x0b) & 4;
    const auto field = [&](uint8_t index) {
        const uint32_t value = cmos(index);
        return binary ? value : (value >> 4) * 10 + (value & 15);
    };
    const Deadline end(time, 100);
    while ((cmos(0x0a) & 0x80) && !end.passed()) relax();
    print("firmware clock {} {} {} {} {}\n", field(0x32) * 100 + field(0x09), field(0x08),
          field(0x07), field(0x04), field(0x02));
    return 0;
}

// Registers that live behind a moved BAR must answer there.
bool move_registers(Pci& pci, PciFunction function, uint64_t& place) {
    const uint64_t old = pci.bar_address(function, 0);
    const uint64_t size = pci.bar_size(function, 0);
    if (old == 0 || size == 0) return false;
    pci.write<uint16_t>(function, 4, 0);
    place = (place + size - 1) & ~(size - 1);
    pci.set_bar_address(function, 0, place);
    pci.enable(function);
    place += size;
    return pci.bar_address(function, 0) == place - size;
}

bool equal(uint64_t address, const char* text) {
    for (; *text; ++address, ++text)
        if (*at<const char>(address) != *text) return false;
    return true;
}

int check_disk(Machine& machine, Pci& pci, uint32_t index, uint8_t slot) {
    BlockDevice disk;
    if (!disk.open(machine, pci, index)) return 1;
    constexpr uint32_t bytes = 17 * 2048;  // up to the first descriptor of an ISO 9660 file system
    const uint64_t buffer = machine.arena.take(bytes);
    const uint64_t serial = machine.arena.take(64);
    if (buffer == 0 || serial == 0) return fail("not enough memory", bytes);
    if (disk.run(machine.clock, block::get_id, 0, {serial, 20}) != block::ok)
        return fail("the disk does not tell its number", index);
    const uint64_t size = disk.sectors() * block::sector_size;
    const auto length = static_cast<uint32_t>(size < bytes ? size : bytes);
    if (disk.run(machine.clock, block::read, 0, {buffer, length}) != block::ok)
        return fail("the disk's first sectors cannot be read", index);
    const bool record = *at<const uint16_t>(buffer + 510) == 0xaa55;
    print("firmware disk {} slot={} sectors={} {} holds={}\n", at<const char>(serial), slot,
          disk.sectors(), disk.has(block::feature_read_only) ? "ro" : "rw",
          equal(buffer + 512, "EFI PART")   ? "gpt"
          : equal(buffer + 0x8001, "CD001") ? "iso"
          : record                          ? "mbr"
                                            : "nothing");
    return 0;
}

}  // namespace

int run(Machine& machine) {
    Pci pci(machine.command_line);
    const uint32_t bridge = pci.read<uint32_t>({0, 0}, 0);
    if (bridge != 0x0d578086) return fail("identity of the host bridge", bridge);
    print("firmware platform ok\n");
    if (const int code = check_memory(machine.start_info)) return code;
    if (const int code = check_tables(machine.acpi_root)) return code;
    if (const int code = check_timer(machine.clock)) return code;
    if (const int code = check_clock(machine.clock)) return code;
    uint64_t place = moved_bars;
    PciFunction function;
    for (uint32_t index = 0; pci.find(virtio_vendor, virtio_blk_id, index, function); ++index) {
        if (!move_registers(pci, function, place)) return fail("registers did not move", index);
        if (const int code = check_disk(machine, pci, index, function.slot)) return code;
    }
    print("firmware done\n");
    return 0;
}

}  // namespace probe
