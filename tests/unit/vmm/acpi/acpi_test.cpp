#include "vmm/acpi/acpi.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "vmm/acpi/tables.h"
#include "vmm/layout.h"

namespace sheaf::vmm::acpi {
namespace {

using Bytes = std::span<const std::byte>;

std::uint8_t sum(Bytes bytes) {
    unsigned total = 0;
    for (const auto byte : bytes) total += std::to_integer<unsigned>(byte);
    return static_cast<std::uint8_t>(total);
}

// Fields of packed structures are compared by value (unary plus): gtest takes references.

// Follows the tables from the RSDP as an operating system does, and checks every length, checksum
// and place on the way.
class Tables {
  public:
    explicit Tables(unsigned cpus)
        : memory_(*GuestMemory::create(1_MiB, GuestMemory::Backing::anonymous)) {
        const auto address = build_acpi(memory_, {.cpus = cpus});
        EXPECT_TRUE(address) << address.error().text();
        EXPECT_EQ(*address, layout::acpi_tables);
        const auto rsdp = *memory_.read<Rsdp>(*address);
        EXPECT_EQ(sum(*memory_.slice(*address, 20)), 0);
        EXPECT_EQ(sum(*memory_.slice(*address, rsdp.length)), 0);
        const auto addresses = follow(rsdp.xsdt).subspan(sizeof(Header));
        for (std::size_t i = 0; i < addresses.size(); i += 8)
            follow(load<std::uint64_t>(addresses.subspan(i)));
        follow(load<Fadt>(at("FACP")).extended_dsdt);
    }

    Bytes at(const std::string& signature) const { return tables_.at(signature); }
    const std::map<std::string, Bytes>& all() const { return tables_; }

  private:
    Bytes follow(std::uint64_t address) {
        const auto header = *memory_.read<Header>(Gpa{address});
        const auto name = std::string{header.signature.data(), header.signature.size()};
        const Bytes table = *memory_.slice(Gpa{address}, header.length);
        EXPECT_EQ(sum(table), 0) << name;
        EXPECT_LE(address + header.length, layout::acpi_tables.value() + layout::acpi_tables_limit)
            << name;
        for (const auto& [other, bytes] : tables_)
            EXPECT_TRUE(table.data() + table.size() <= bytes.data() ||
                        bytes.data() + bytes.size() <= table.data())
                << name << " overlaps " << other;
        tables_[name] = table;
        return table;
    }

    GuestMemory memory_;
    std::map<std::string, Bytes> tables_;
};

// The MADT's entries by type.
std::multimap<unsigned, Bytes> madt_entries(const Tables& tables) {
    auto entries = std::multimap<unsigned, Bytes>{};
    auto rest = tables.at("APIC").subspan(sizeof(Madt));
    while (!rest.empty()) {
        const auto length = std::to_integer<std::size_t>(rest[1]);
        if (length < 2 || length > rest.size()) {
            ADD_FAILURE() << "entry of " << length << " bytes";
            break;
        }
        entries.emplace(std::to_integer<unsigned>(rest[0]), rest.first(length));
        rest = rest.subspan(length);
    }
    return entries;
}

class ByCpus : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Acpi, ByCpus, testing::Values(1, 2, 64, 300));

TEST_P(ByCpus, EachProcessorIsListedOnce) {
    const auto tables = Tables{GetParam()};
    const auto entries = madt_entries(tables);
    auto ids = std::set<std::uint32_t>{};
    for (const auto& [type, bytes] : entries) {
        if (type == 0) {
            const auto entry = load<MadtLocalApic>(bytes);
            EXPECT_EQ(+entry.apic, +entry.processor);
            EXPECT_NE(+entry.apic, 255);
            EXPECT_EQ(entry.flags & 1, 1u);
            EXPECT_TRUE(ids.insert(+entry.apic).second);
        }
        if (type == 9) {
            const auto entry = load<MadtX2Apic>(bytes);
            EXPECT_EQ(+entry.apic, +entry.processor);
            EXPECT_GE(+entry.apic, 255u);
            EXPECT_TRUE(ids.insert(+entry.apic).second);
        }
    }
    EXPECT_EQ(ids.size(), GetParam());
    EXPECT_EQ(*ids.rbegin(), GetParam() - 1);
    EXPECT_EQ(entries.count(9), GetParam() > 255 ? GetParam() - 255 : 0);
    ASSERT_EQ(entries.count(1), 1u);
    EXPECT_EQ(+load<MadtIoApic>(entries.find(1)->second).address, layout::ioapic.value());
    EXPECT_EQ(entries.count(4), 1u);
}

// The disassembler is an independent reader: it checks structure and checksums of each table.
TEST_P(ByCpus, DisassemblerTakesEveryTable) {
    if (std::system("iasl -v > /dev/null 2>&1") != 0) GTEST_SKIP() << "no iasl (acpica-tools)";
    auto name = std::string{"/tmp/acpi_test.XXXXXX"};
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    const auto folder = std::filesystem::path{name};
    const auto tables = Tables{GetParam()};
    for (const auto& [signature, bytes] : tables.all()) {
        const auto stem = folder / signature;
        std::ofstream{stem.string() + ".aml"} << as_text(bytes);
        const auto quiet = " > " + stem.string() + ".log 2>&1";
        EXPECT_EQ(std::system(("iasl -d " + stem.string() + ".aml" + quiet).c_str()), 0)
            << signature;
        auto text = std::stringstream{};
        text << std::ifstream{stem.string() + ".dsl"}.rdbuf()
             << std::ifstream{stem.string() + ".log"}.rdbuf();
        for (const auto* complaint :
             {"ncorrect checksum", "Error", "Warning", "Invalid", "Unknown", "should be"})
            EXPECT_EQ(text.str().find(complaint), std::string::npos)
                << signature << ": " << complaint << "\n"
                << text.str();
        EXPECT_NE(text.str().find(signature), std::string::npos);
    }
    // What comes out of the definition block compiles again.
    const auto again = "iasl -we " + (folder / "DSDT.dsl").string() + " > /dev/null 2>&1";
    EXPECT_EQ(std::system(again.c_str()), 0);
    std::filesystem::remove_all(folder);
}

TEST(Acpi, FadtIsHardwareReducedWithResetAndSleepPorts) {
    const auto tables = Tables{2};
    const auto fadt = load<Fadt>(tables.at("FACP"));
    EXPECT_EQ(fadt.header.revision, 6);
    EXPECT_EQ(fadt.flags >> 20 & 1, 1u) << "HW_REDUCED_ACPI";
    EXPECT_EQ(fadt.flags >> 10 & 1, 1u) << "RESET_REG_SUP";
    EXPECT_EQ(+fadt.boot_architecture, 0x04) << "no VGA, no 8042; there is a CMOS clock";
    EXPECT_EQ(fadt.century, layout::cmos_century);
    EXPECT_EQ(+fadt.reset.address, layout::port_acpi_sleep);
    EXPECT_EQ(fadt.reset.space, 1);
    EXPECT_EQ(fadt.reset_value, layout::acpi_reset_value);
    EXPECT_EQ(+fadt.sleep_control.address, layout::port_acpi_sleep);
    EXPECT_EQ(+fadt.sleep_status.address, layout::port_acpi_status);
}

TEST(Acpi, McfgNamesTheConfigurationWindow) {
    const auto tables = Tables{1};
    const auto mcfg = load<Mcfg>(tables.at("MCFG"));
    EXPECT_EQ(+mcfg.address, layout::ecam.value());
    EXPECT_EQ((mcfg.last_bus - mcfg.first_bus + 1) * 1_MiB, layout::ecam_size);
}

TEST(Acpi, SoftOffPackageGivesTheSleepTypeOfTheLayout) {
    const auto tables = Tables{1};
    const auto dsdt = tables.at("DSDT");
    // NameOp "_S5_" PackageOp, length, four elements, ByteConst sleep type.
    constexpr auto package =
        std::to_array<std::uint8_t>({0x08, 0x5f, 0x53, 0x35, 0x5f, 0x12, 0x07, 0x04, 0x0a,
                                     layout::acpi_sleep_s5 >> 2 & 7, 0x00, 0x00, 0x00});
    const auto wanted = std::as_bytes(std::span{package});
    EXPECT_FALSE(std::ranges::search(dsdt, wanted).empty());
}

TEST(Acpi, ImpossibleMachinesAreRefused) {
    const auto memory = *GuestMemory::create(1_MiB, GuestMemory::Backing::anonymous);
    EXPECT_EQ(build_acpi(memory, {.cpus = 0}).error().kind(), Kind::invalid);
    EXPECT_EQ(build_acpi(memory, {.cpus = 4097}).error().kind(), Kind::invalid);
    EXPECT_TRUE(build_acpi(memory, {.cpus = 4096}));
    const auto small = *GuestMemory::create(64_KiB, GuestMemory::Backing::anonymous);
    EXPECT_FALSE(build_acpi(small, {.cpus = 1}));
}

}  // namespace
}  // namespace sheaf::vmm::acpi
