#include "vmm/debug/register_file.h"

#include <array>
#include <cstddef>

#include "vmm/debug/page_walk.h"

namespace sheaf::vmm::debug {

namespace {

enum class Place {
    general,   // in kvm_regs
    pointer,   // in kvm_regs, an address of code
    flags,     // in kvm_regs
    selector,  // in kvm_sregs, two bytes shown as four
    base,      // in kvm_sregs, an address
    control,   // in kvm_sregs
    x87,       // in the FXSAVE area, `stored` bytes of it
    tags,      // of the FXSAVE area, one bit a register shown as two
    sse,       // in the FXSAVE area
    mask,      // MXCSR
};

struct Register {
    std::string_view name;
    unsigned size;  // bytes to the debugger
    std::string_view type;
    Place place;
    std::size_t offset;
    unsigned stored = size;  // bytes in KVM's structure
};

// Where things are in the FXSAVE area (Intel SDM 1, table 10-2), and in the XSAVE header after it.
constexpr std::size_t fx_tags = 4;
constexpr std::size_t fx_mxcsr = 24;
constexpr std::size_t fx_st = 32;
constexpr std::size_t fx_xmm = 160;
constexpr std::size_t xsave_present = 512;
constexpr std::uint64_t present_x87 = 1;
constexpr std::uint64_t present_sse = 2;

constexpr Register general(std::string_view name, std::size_t offset,
                           std::string_view type = "int64") {
    return {name, 8, type, Place::general, offset};
}
constexpr Register selector(std::string_view name, std::size_t offset) {
    return {name, 4, "int32", Place::selector, offset, 2};
}
constexpr Register stack(std::string_view name, std::size_t number) {
    return {name, 10, "i387_ext", Place::x87, fx_st + 16 * number};
}
constexpr Register x87(std::string_view name, std::size_t offset, unsigned stored) {
    return {name, 4, "int", Place::x87, offset, stored};
}
constexpr Register vector(std::string_view name, std::size_t number) {
    return {name, 16, "vec128", Place::sse, fx_xmm + 16 * number};
}
constexpr Register base(std::string_view name, std::size_t offset) {
    return {name, 8, "int64", Place::base, offset};
}
constexpr Register control(std::string_view name, std::size_t offset) {
    return {name, 8, "int64", Place::control, offset};
}

// The order of the GDB features org.gnu.gdb.i386.core, .sse and .segments, then Sheaf's own.
constexpr auto registers = std::to_array<Register>({
    general("rax", offsetof(kvm_regs, rax)),
    general("rbx", offsetof(kvm_regs, rbx)),
    general("rcx", offsetof(kvm_regs, rcx)),
    general("rdx", offsetof(kvm_regs, rdx)),
    general("rsi", offsetof(kvm_regs, rsi)),
    general("rdi", offsetof(kvm_regs, rdi)),
    general("rbp", offsetof(kvm_regs, rbp), "data_ptr"),
    general("rsp", offsetof(kvm_regs, rsp), "data_ptr"),
    general("r8", offsetof(kvm_regs, r8)),
    general("r9", offsetof(kvm_regs, r9)),
    general("r10", offsetof(kvm_regs, r10)),
    general("r11", offsetof(kvm_regs, r11)),
    general("r12", offsetof(kvm_regs, r12)),
    general("r13", offsetof(kvm_regs, r13)),
    general("r14", offsetof(kvm_regs, r14)),
    general("r15", offsetof(kvm_regs, r15)),
    {"rip", 8, "code_ptr", Place::pointer, offsetof(kvm_regs, rip)},
    {"eflags", 4, "i386_eflags", Place::flags, offsetof(kvm_regs, rflags), 8},
    selector("cs", offsetof(kvm_sregs, cs.selector)),
    selector("ss", offsetof(kvm_sregs, ss.selector)),
    selector("ds", offsetof(kvm_sregs, ds.selector)),
    selector("es", offsetof(kvm_sregs, es.selector)),
    selector("fs", offsetof(kvm_sregs, fs.selector)),
    selector("gs", offsetof(kvm_sregs, gs.selector)),
    stack("st0", 0),
    stack("st1", 1),
    stack("st2", 2),
    stack("st3", 3),
    stack("st4", 4),
    stack("st5", 5),
    stack("st6", 6),
    stack("st7", 7),
    x87("fctrl", 0, 2),
    x87("fstat", 2, 2),
    {"ftag", 4, "int", Place::tags, fx_tags, 1},
    x87("fiseg", 12, 2),
    x87("fioff", 8, 4),
    x87("foseg", 20, 2),
    x87("fooff", 16, 4),
    x87("fop", 6, 2),
    vector("xmm0", 0),
    vector("xmm1", 1),
    vector("xmm2", 2),
    vector("xmm3", 3),
    vector("xmm4", 4),
    vector("xmm5", 5),
    vector("xmm6", 6),
    vector("xmm7", 7),
    vector("xmm8", 8),
    vector("xmm9", 9),
    vector("xmm10", 10),
    vector("xmm11", 11),
    vector("xmm12", 12),
    vector("xmm13", 13),
    vector("xmm14", 14),
    vector("xmm15", 15),
    {"mxcsr", 4, "i386_mxcsr", Place::mask, fx_mxcsr},
    base("fs_base", offsetof(kvm_sregs, fs.base)),
    base("gs_base", offsetof(kvm_sregs, gs.base)),
    control("cr0", offsetof(kvm_sregs, cr0)),
    control("cr2", offsetof(kvm_sregs, cr2)),
    control("cr3", offsetof(kvm_sregs, cr3)),
    control("cr4", offsetof(kvm_sregs, cr4)),
    control("cr8", offsetof(kvm_sregs, cr8)),
    control("efer", offsetof(kvm_sregs, efer)),
});

struct Feature {
    std::string_view name;
    std::string_view first;  // register
    std::string_view types;
};

constexpr std::string_view flag_types =
    R"(<flags id="i386_eflags" size="4"><field name="CF" start="0" end="0"/>)"
    R"(<field name="PF" start="2" end="2"/><field name="AF" start="4" end="4"/>)"
    R"(<field name="ZF" start="6" end="6"/><field name="SF" start="7" end="7"/>)"
    R"(<field name="TF" start="8" end="8"/><field name="IF" start="9" end="9"/>)"
    R"(<field name="DF" start="10" end="10"/><field name="OF" start="11" end="11"/>)"
    R"(<field name="NT" start="14" end="14"/><field name="RF" start="16" end="16"/>)"
    R"(<field name="VM" start="17" end="17"/><field name="AC" start="18" end="18"/>)"
    R"(<field name="VIF" start="19" end="19"/><field name="VIP" start="20" end="20"/>)"
    R"(<field name="ID" start="21" end="21"/></flags>)";

constexpr std::string_view vector_types =
    R"(<vector id="v4f" type="ieee_single" count="4"/>)"
    R"(<vector id="v2d" type="ieee_double" count="2"/>)"
    R"(<vector id="v16i8" type="int8" count="16"/><vector id="v8i16" type="int16" count="8"/>)"
    R"(<vector id="v4i32" type="int32" count="4"/><vector id="v2i64" type="int64" count="2"/>)"
    R"(<union id="vec128"><field name="v4_float" type="v4f"/><field name="v2_double" type="v2d"/>)"
    R"(<field name="v16_int8" type="v16i8"/><field name="v8_int16" type="v8i16"/>)"
    R"(<field name="v4_int32" type="v4i32"/><field name="v2_int64" type="v2i64"/>)"
    R"(<field name="uint128" type="uint128"/></union>)"
    R"(<flags id="i386_mxcsr" size="4"><field name="IE" start="0" end="0"/>)"
    R"(<field name="DE" start="1" end="1"/><field name="ZE" start="2" end="2"/>)"
    R"(<field name="OE" start="3" end="3"/><field name="UE" start="4" end="4"/>)"
    R"(<field name="PE" start="5" end="5"/><field name="DAZ" start="6" end="6"/>)"
    R"(<field name="IM" start="7" end="7"/><field name="DM" start="8" end="8"/>)"
    R"(<field name="ZM" start="9" end="9"/><field name="OM" start="10" end="10"/>)"
    R"(<field name="UM" start="11" end="11"/><field name="PM" start="12" end="12"/>)"
    R"(<field name="FZ" start="15" end="15"/></flags>)";

constexpr auto features = std::to_array<Feature>({
    {"org.gnu.gdb.i386.core", "rax", flag_types},
    {"org.gnu.gdb.i386.sse", "xmm0", vector_types},
    {"org.gnu.gdb.i386.segments", "fs_base", ""},
    {"sheaf.control", "cr0", ""},
});

// Flags that a debugger may change: those of arithmetic, TF, IF, DF, IOPL, NT, RF, AC and ID.
constexpr std::uint64_t settable_flags = 0x257fd5;
constexpr std::uint64_t settable_mxcsr = 0xffff;

std::span<const std::byte> bytes_of_place(const RegisterFile& file, Place place) {
    switch (place) {
        case Place::general:
        case Place::pointer:
        case Place::flags: return std::as_bytes(std::span{&file.general, 1});
        case Place::selector:
        case Place::base:
        case Place::control: return std::as_bytes(std::span{&file.system, 1});
        default: return file.extended;
    }
}

std::span<std::byte> bytes_to_change(RegisterFile& file, Place place) {
    switch (place) {
        case Place::general:
        case Place::pointer:
        case Place::flags:
            file.general_changed = true;
            return std::as_writable_bytes(std::span{&file.general, 1});
        case Place::selector:
        case Place::base:
        case Place::control:
            file.system_changed = true;
            return std::as_writable_bytes(std::span{&file.system, 1});
        default: {
            file.extended_changed = true;
            // KVM takes what the header calls present, and resets the rest.
            const auto header = std::span{file.extended}.subspan(xsave_present);
            const bool sse = place == Place::sse || place == Place::mask;
            store(header, load<std::uint64_t>(header) | (sse ? present_sse : present_x87));
            return file.extended;
        }
    }
}

// Two bits a physical register: 0 valid, 1 zero, 2 special, 3 empty (Intel SDM 1, 8.1.7). The
// FXSAVE area holds the registers in the order of the stack.
std::uint16_t full_tags(std::span<const std::byte> area) {
    const auto present = load<std::uint8_t>(area.subspan(fx_tags));
    const unsigned top = load<std::uint16_t>(area.subspan(2)) >> 11 & 7;
    unsigned tags = 0;
    for (unsigned physical = 0; physical < 8; ++physical) {
        unsigned tag = 3;
        if ((present >> physical & 1) != 0) {
            const auto value = area.subspan(fx_st + 16 * ((physical - top) & 7));
            const auto fraction = load<std::uint64_t>(value);
            const auto exponent = load<std::uint16_t>(value.subspan(8)) & 0x7fff;
            const bool normal = exponent != 0x7fff && fraction >> 63 != 0;
            tag = normal ? 0 : exponent == 0 && fraction == 0 ? 1 : 2;
        }
        tags |= tag << 2 * physical;
    }
    return static_cast<std::uint16_t>(tags);
}

std::uint64_t short_tags(std::uint64_t tags) {
    std::uint64_t present = 0;
    for (unsigned physical = 0; physical < 8; ++physical)
        if ((tags >> 2 * physical & 3) != 3) present |= 1u << physical;
    return present;
}

// What is written in the place of `value`, as it is stored.
Result<std::uint64_t> accept(const RegisterFile& file, const Register& reg, std::uint64_t value,
                             std::uint64_t before) {
    switch (reg.place) {
        case Place::pointer:
        case Place::base:
            if (!is_canonical(file.system, value))
                return fail(Kind::invalid, "{}: {:#x} is no address", reg.name, value);
            return value;
        case Place::flags: return (before & ~settable_flags) | (value & settable_flags);
        case Place::mask: return value & settable_mxcsr;
        case Place::tags: return short_tags(value);
        default: return value;
    }
}

}  // namespace

std::size_t register_count() {
    return registers.size();
}

std::size_t register_size(std::size_t number) {
    return registers.at(number).size;
}

std::vector<std::byte> read_register(const RegisterFile& file, std::size_t number) {
    const auto& reg = registers.at(number);
    auto bytes = std::vector<std::byte>(reg.size);
    const auto area = bytes_of_place(file, reg.place);
    if (reg.place == Place::tags) {
        store(bytes, full_tags(area));
    } else {
        std::ranges::copy(area.subspan(reg.offset, std::min(reg.size, reg.stored)), bytes.begin());
    }
    return bytes;
}

Result<void> write_register(RegisterFile& file, std::size_t number,
                            std::span<const std::byte> bytes) {
    if (number >= registers.size()) return fail(Kind::invalid, "there is no register {}", number);
    const auto& reg = registers.at(number);
    if (bytes.size() != reg.size)
        return fail(Kind::invalid, "{} bytes for {}, which has {}", bytes.size(), reg.name,
                    reg.size);
    // What is the same is not given to KVM.
    if (std::ranges::equal(bytes, read_register(file, number))) return {};
    if (reg.place == Place::selector || reg.place == Place::control)
        return fail(Kind::invalid, "{} cannot be changed", reg.name);
    const auto stored = bytes_of_place(file, reg.place).subspan(reg.offset, reg.stored);
    if (reg.size > 8) {
        std::ranges::copy(bytes, bytes_to_change(file, reg.place).begin() +
                                     static_cast<std::ptrdiff_t>(reg.offset));
        return {};
    }
    const auto value = TRY(accept(file, reg, load_register(bytes), load_register(stored)));
    store_register(bytes_to_change(file, reg.place).subspan(reg.offset, reg.stored), value);
    return {};
}

std::vector<std::byte> read_registers(const RegisterFile& file) {
    auto bytes = std::vector<std::byte>{};
    for (std::size_t number = 0; number < registers.size(); ++number) {
        const auto one = read_register(file, number);
        bytes.insert(bytes.end(), one.begin(), one.end());
    }
    return bytes;
}

Result<void> write_registers(RegisterFile& file, std::span<const std::byte> bytes) {
    auto changed = file;
    auto rest = ByteReader{bytes};
    for (std::size_t number = 0; number < registers.size(); ++number)
        TRY(write_register(changed, number, TRY(rest.take(register_size(number)))));
    if (!rest.rest().empty())
        return fail(Kind::invalid, "{} bytes after the last register", rest.rest().size());
    file = changed;
    return {};
}

std::string target_description() {
    auto text = std::string{
        "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
        "<target version=\"1.0\">\n<architecture>i386:x86-64</architecture>\n"};
    std::size_t number = 0;
    for (std::size_t index = 0; index < features.size(); ++index) {
        const auto& feature = features.at(index);
        const auto end = index + 1 < features.size() ? features.at(index + 1).first : "";
        text += fmt::format("<feature name=\"{}\">{}\n", feature.name, feature.types);
        for (; number < registers.size() && registers.at(number).name != end; ++number) {
            const auto& reg = registers.at(number);
            text += fmt::format("<reg name=\"{}\" bitsize=\"{}\" type=\"{}\" regnum=\"{}\"/>\n",
                                reg.name, reg.size * 8, reg.type, number);
        }
        text += "</feature>\n";
    }
    return text + "</target>\n";
}

}  // namespace sheaf::vmm::debug
