#include "control/iso_image.h"

#include <algorithm>
#include <chrono>

#include "base/units.h"

namespace sheaf::control {

namespace {

constexpr std::size_t sector = 2048;
constexpr std::size_t most_files = 20;
constexpr std::size_t most_bytes = 16 << 20;

// Where what is (docs/formats/cloud-init-seed.md); sectors.
constexpr std::uint32_t primary_at = 16;
constexpr std::uint32_t joliet_at = 17;
constexpr std::uint32_t end_at = 18;
constexpr std::uint32_t path_tables_at = 19;  // four: little and big endian, of both trees
constexpr std::uint32_t primary_root_at = 23;
constexpr std::uint32_t joliet_root_at = 24;
constexpr std::uint32_t data_at = 25;

enum class Tree { primary, joliet };

void put_little(std::string& out, std::uint64_t value, int bytes) {
    for (int byte = 0; byte < bytes; ++byte) out += static_cast<char>(value >> (8 * byte));
}

void put_big(std::string& out, std::uint64_t value, int bytes) {
    for (int byte = bytes - 1; byte >= 0; --byte) out += static_cast<char>(value >> (8 * byte));
}

// Numbers stand there twice, in either order of bytes.
void put_both(std::string& out, std::uint64_t value, int bytes) {
    put_little(out, value, bytes);
    put_big(out, value, bytes);
}

struct Date {
    std::chrono::year_month_day day;
    std::chrono::hh_mm_ss<std::chrono::seconds> time;
};

Date date_of(WallClock::TimePoint at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    return {std::chrono::year_month_day{day},
            std::chrono::hh_mm_ss{std::chrono::floor<std::chrono::seconds>(at - day)}};
}

// 7 bytes, as directories have them.
void put_short_date(std::string& out, const Date& date) {
    for (const auto number :
         {static_cast<long>(static_cast<int>(date.day.year()) - 1900),
          static_cast<long>(static_cast<unsigned>(date.day.month())),
          static_cast<long>(static_cast<unsigned>(date.day.day())), date.time.hours().count(),
          date.time.minutes().count(), date.time.seconds().count(), 0L})
        out += static_cast<char>(number);
}

// 17 bytes, as descriptors have them.
void put_long_date(std::string& out, const Date& date) {
    out += fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}00", static_cast<int>(date.day.year()),
                       static_cast<unsigned>(date.day.month()),
                       static_cast<unsigned>(date.day.day()), date.time.hours().count(),
                       date.time.minutes().count(), date.time.seconds().count());
    out += '\0';
}

// A text in a field that is filled up with spaces.
std::string field(Tree tree, std::string_view text, std::size_t bytes) {
    std::string out;
    for (const auto letter : text) {
        if (tree == Tree::joliet) out += '\0';
        out += letter;
    }
    while (out.size() < bytes) {
        if (tree == Tree::joliet && out.size() + 1 < bytes) out += '\0';
        out += ' ';
    }
    return out;
}

// What a guest that knows no Joliet makes the same name of.
std::string name_in(Tree tree, const std::string& name) {
    if (tree == Tree::joliet) return field(tree, name, 0);
    std::string large = name;
    for (auto& letter : large)
        if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    return large + (large.contains('.') ? ";1" : ".;1");
}

struct Extent {
    std::uint32_t sector;
    std::size_t bytes;
};

enum class Entry : std::uint8_t { file = 0, directory = 2 };

std::string record(std::string_view name, Entry what, Extent extent, const Date& date) {
    std::string out;
    const auto length = 33 + name.size() + (name.size() % 2 == 0 ? 1 : 0);
    out += static_cast<char>(length);
    out += '\0';
    put_both(out, extent.sector, 4);
    put_both(out, extent.bytes, 4);
    put_short_date(out, date);
    out += static_cast<char>(what);
    out.append(2, '\0');  // not interleaved
    put_both(out, 1, 2);  // the volume of the set
    out += static_cast<char>(name.size());
    out += name;
    out.resize(length);
    return out;
}

std::uint32_t root_of(Tree tree) {
    return tree == Tree::primary ? primary_root_at : joliet_root_at;
}

// One sector holds it: there are few files, with short names.
std::string directory(Tree tree, std::span<const IsoFile> files, const Date& date) {
    const Extent self{root_of(tree), sector};
    std::string out = record(std::string_view{"\0", 1}, Entry::directory, self, date);
    out += record(std::string_view{"\1", 1}, Entry::directory, self, date);
    auto at = data_at;
    for (const auto& file : files) {
        out += record(name_in(tree, file.name), Entry::file, {at, file.content.size()}, date);
        at += static_cast<std::uint32_t>((file.content.size() + sector - 1) / sector);
    }
    out.resize(sector);
    return out;
}

std::string path_table(Tree tree, bool big) {
    std::string out;
    out += '\1';  // of a name that is one byte
    out += '\0';
    big ? put_big(out, root_of(tree), 4) : put_little(out, root_of(tree), 4);
    big ? put_big(out, 1, 2) : put_little(out, 1, 2);  // its own parent
    out.append(2, '\0');
    return out;
}

std::string descriptor(Tree tree, std::string_view label, std::uint64_t sectors, const Date& date) {
    constexpr std::size_t path_table_bytes = 10;
    const auto tables = path_tables_at + (tree == Tree::primary ? 0 : 2);
    std::string out;
    out += tree == Tree::primary ? '\1' : '\2';
    out += "CD001\1";
    out += '\0';
    out += field(tree, "", 32);
    out += field(tree, label, 32);
    out.append(8, '\0');
    put_both(out, sectors, 4);
    auto escapes = std::string{tree == Tree::joliet ? "%/E" : ""};  // UCS-2, level 3
    escapes.resize(32);
    out += escapes;
    put_both(out, 1, 2);
    put_both(out, 1, 2);
    put_both(out, sector, 2);
    put_both(out, path_table_bytes, 4);
    put_little(out, tables, 4);
    put_little(out, 0, 4);
    put_big(out, tables + 1, 4);
    put_big(out, 0, 4);
    out += record(std::string_view{"\0", 1}, Entry::directory, {root_of(tree), sector}, date);
    for (const std::size_t bytes : {128, 128, 128, 128, 37, 37, 37}) out += field(tree, "", bytes);
    put_long_date(out, date);
    put_long_date(out, date);
    out.append(16, '0').append(1, '\0');  // it does not expire
    put_long_date(out, date);
    out += '\1';
    out.resize(sector);
    return out;
}

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= 30 && std::ranges::all_of(name, [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
               letter == '-' || letter == '.';
    });
}

Result<void> check(std::string_view label, std::span<const IsoFile> files) {
    if (label.empty() || label.size() > 16)
        return fail(Kind::invalid, "the label {} has not 1 to 16 letters", label);
    if (files.size() > most_files)
        return fail(Kind::invalid, "{} files are more than {}", files.size(), most_files);
    std::size_t bytes = 0;
    for (const auto& file : files) {
        if (!is_name(file.name)) return fail(Kind::invalid, "no name of a file: {}", file.name);
        bytes += file.content.size();
    }
    if (bytes > most_bytes)
        return fail(Kind::invalid, "{} bytes are more than {}", bytes, most_bytes);
    return {};
}

}  // namespace

Result<std::string> make_iso_image(std::string_view label, std::span<const IsoFile> files,
                                   WallClock::TimePoint made) {
    TRY(check(label, files));
    const auto date = date_of(made);
    std::string data;
    for (const auto& file : files) {
        data += file.content;
        data.resize(align_up<std::size_t>(data.size(), sector));
    }
    const auto bytes = align_up<std::size_t>(data_at * sector + data.size(), std::size_t{4096});
    std::string image;
    image.reserve(bytes);
    const auto put = [&image](std::uint32_t at, const std::string& text) {
        image.resize(at * sector);
        image += text;
    };
    put(primary_at, descriptor(Tree::primary, label, bytes / sector, date));
    put(joliet_at, descriptor(Tree::joliet, label, bytes / sector, date));
    put(end_at, "\377CD001\1");
    auto table = path_tables_at;
    for (const auto tree : {Tree::primary, Tree::joliet})
        for (const bool big : {false, true}) put(table++, path_table(tree, big));
    put(primary_root_at, directory(Tree::primary, files, date));
    put(joliet_root_at, directory(Tree::joliet, files, date));
    put(data_at, data);
    image.resize(bytes);
    return image;
}

}  // namespace sheaf::control
