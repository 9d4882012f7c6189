#include "storage/replica/messages.h"

#include <algorithm>

#include "base/bytes.h"

namespace sheaf::replica {

namespace {

constexpr std::size_t most_ranges = 32768;
constexpr std::size_t most_snapshots = 4096;

template <WireStruct T>
void append(Bytes& bytes, const T& value) {
    const auto more = bytes_of(value);
    bytes.insert(bytes.end(), more.begin(), more.end());
}

void append_text(Bytes& bytes, std::string_view text) {
    const auto more = as_bytes(text);
    bytes.insert(bytes.end(), more.begin(), more.end());
}

Result<void> check_end(const ByteReader& reader, const char* what) {
    if (reader.rest().empty()) return {};
    return fail(Kind::corrupt, "{} bytes behind {}", reader.rest().size(), what);
}

// Fewer and larger ones, where there are too many: what lies between two joined ones is covered.
std::vector<Range> bounded(const std::vector<Range>& ranges) {
    if (ranges.size() <= most_ranges) return ranges;
    const auto together = (ranges.size() + most_ranges - 1) / most_ranges;
    std::vector<Range> fewer;
    for (std::size_t first = 0; first < ranges.size(); first += together) {
        const auto& last = ranges[std::min(first + together, ranges.size()) - 1];
        fewer.push_back({ranges[first].offset, last.offset + last.length - ranges[first].offset});
    }
    return fewer;
}

Result<void> check_ranges(const Sealed& sealed) {
    std::uint64_t end = 0;
    for (const auto& range : sealed.marked) {
        const auto sound = range.length > 0 && (range.offset | range.length) % unit == 0 &&
                           range.offset >= end && range.offset <= sealed.size &&
                           range.length <= sealed.size - range.offset;
        if (!sound)
            return fail(Kind::corrupt, "a range of {} bytes at {} of a copy of {}", range.length,
                        range.offset, sealed.size);
        end = range.offset + range.length;
    }
    return {};
}

}  // namespace

Result<void> check_node_name(std::string_view name) {
    const auto allowed = [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
               letter == '.' || letter == '-';
    };
    if (name.empty() || name.size() > longest_name || !std::ranges::all_of(name, allowed))
        return fail(Kind::invalid, "a node's name has 1 to 63 of a-z, 0-9, '.' and '-'");
    return {};
}

Bytes encode(const Hello& hello) {
    Bytes bytes;
    append(bytes, hello.oldest_version);
    append(bytes, hello.newest_version);
    append(bytes, hello.requests);
    append(bytes, hello.payload);
    append(bytes, static_cast<std::uint32_t>(hello.node.size()));
    append(bytes, hello.volume);
    append_text(bytes, hello.node);
    append_text(bytes, hello.to);
    return bytes;
}

Result<Hello> parse_hello(std::span<const std::byte> bytes) {
    ByteReader reader{bytes};
    Hello hello;
    hello.oldest_version = TRY(reader.take<std::uint16_t>());
    hello.newest_version = TRY(reader.take<std::uint16_t>());
    hello.requests = TRY(reader.take<std::uint32_t>());
    hello.payload = TRY(reader.take<std::uint32_t>());
    const auto length = TRY(reader.take<std::uint32_t>());
    hello.volume = TRY(reader.take<volume::Id>());
    hello.node = as_text(TRY(reader.take(length)));
    hello.to = as_text(reader.rest());
    const auto to_anybody = hello.to.empty();
    if (!check_node_name(hello.node) || (!to_anybody && !check_node_name(hello.to)))
        return fail(Kind::corrupt, "a hello without a node's name");
    return hello;
}

Bytes encode(const CopyRequest& request) {
    Bytes bytes;
    append(bytes, request.oldest_version);
    append(bytes, request.newest_version);
    append(bytes, static_cast<std::uint32_t>(request.node.size()));
    append(bytes, std::uint64_t{0});
    append(bytes, request.volume);
    append_text(bytes, request.node);
    append_text(bytes, request.name);
    return bytes;
}

Result<CopyRequest> parse_copy_request(std::span<const std::byte> bytes) {
    ByteReader reader{bytes};
    CopyRequest request;
    request.oldest_version = TRY(reader.take<std::uint16_t>());
    request.newest_version = TRY(reader.take<std::uint16_t>());
    const auto length = TRY(reader.take<std::uint32_t>());
    const auto reserved = TRY(reader.take<std::uint64_t>());
    request.volume = TRY(reader.take<volume::Id>());
    request.node = as_text(TRY(reader.take(length)));
    request.name = as_text(reader.rest());
    if (reserved != 0 || request.volume == volume::Id{})
        return fail(Kind::corrupt, "a request for a copy that makes no sense");
    if (!check_node_name(request.node) || !check_node_name(request.name))
        return fail(Kind::corrupt, "a request for a copy without its names");
    return request;
}

Result<void> check_version(std::uint16_t oldest, std::uint16_t newest) {
    if (oldest <= wire_version && wire_version <= newest) return {};
    return fail(Kind::unsupported, "versions {} to {} of the wire; this host speaks {}", oldest,
                newest, wire_version);
}

Bytes encode(const Welcome& welcome) {
    Bytes bytes;
    append(bytes, welcome.version);
    append(bytes, std::uint16_t{0});
    append(bytes, welcome.requests);
    append(bytes, welcome.in_flight);
    append(bytes, welcome.volume);
    append(bytes, welcome.incarnation);
    append(bytes, welcome.size);
    return bytes;
}

Result<Welcome> parse_welcome(std::span<const std::byte> bytes) {
    ByteReader reader{bytes};
    Welcome welcome;
    welcome.version = TRY(reader.take<std::uint16_t>());
    const auto reserved = TRY(reader.take<std::uint16_t>());
    welcome.requests = TRY(reader.take<std::uint32_t>());
    welcome.in_flight = TRY(reader.take<std::uint32_t>());
    welcome.volume = TRY(reader.take<std::uint32_t>());
    welcome.incarnation = TRY(reader.take<std::uint64_t>());
    welcome.size = TRY(reader.take<std::uint64_t>());
    TRY(check_end(reader, "a welcome"));
    if (welcome.version != wire_version)
        return fail(Kind::unsupported, "version {} of the wire", welcome.version);
    if (reserved != 0 || welcome.requests == 0 || welcome.in_flight < most_payload)
        return fail(Kind::corrupt, "a welcome that makes no sense");
    return welcome;
}

Bytes encode(const Sealed& sealed) {
    const auto ranges = bounded(sealed.marked);
    const auto snapshots = std::min(sealed.snapshots.size(), most_snapshots);
    Bytes bytes;
    append(bytes, sealed.before.epoch);
    append(bytes, sealed.before.generation);
    append(bytes, sealed.incarnation);
    append(bytes, sealed.size);
    append(bytes, static_cast<std::uint32_t>(ranges.size()));
    append(bytes, static_cast<std::uint32_t>(snapshots));
    for (const auto& range : ranges) {
        append(bytes, range.offset);
        append(bytes, range.length);
    }
    for (std::size_t index = 0; index < snapshots; ++index) {
        append(bytes, static_cast<std::uint8_t>(sealed.snapshots[index].size()));
        append_text(bytes, sealed.snapshots[index]);
    }
    return bytes;
}

Result<Sealed> parse_sealed(std::span<const std::byte> bytes) {
    ByteReader reader{bytes};
    Sealed sealed;
    sealed.before.epoch = TRY(reader.take<std::uint64_t>());
    sealed.before.generation = TRY(reader.take<std::uint64_t>());
    sealed.incarnation = TRY(reader.take<std::uint64_t>());
    sealed.size = TRY(reader.take<std::uint64_t>());
    const auto ranges = TRY(reader.take<std::uint32_t>());
    const auto snapshots = TRY(reader.take<std::uint32_t>());
    if (ranges > most_ranges || snapshots > most_snapshots)
        return fail(Kind::corrupt, "{} ranges and {} snapshots", ranges, snapshots);
    for (std::uint32_t index = 0; index < ranges; ++index) {
        const auto offset = TRY(reader.take<std::uint64_t>());
        sealed.marked.push_back({offset, TRY(reader.take<std::uint64_t>())});
    }
    for (std::uint32_t index = 0; index < snapshots; ++index) {
        const auto length = TRY(reader.take<std::uint8_t>());
        sealed.snapshots.emplace_back(as_text(TRY(reader.take(length))));
        if (!check_node_name(sealed.snapshots.back()))
            return fail(Kind::corrupt, "a snapshot without a name");
    }
    TRY(check_end(reader, "what a sealed copy tells"));
    TRY(check_ranges(sealed));
    return sealed;
}

Bytes encode(const Status& status) {
    const std::array numbers{status.stamp.epoch, status.stamp.generation, status.incarnation,
                             status.size};
    return encode(std::span<const std::uint64_t>{numbers});
}

Result<Status> parse_status(std::span<const std::byte> bytes) {
    const auto numbers = TRY(parse_numbers(bytes));
    if (numbers.size() != 4) return fail(Kind::corrupt, "a status of {} numbers", numbers.size());
    return Status{{numbers[0], numbers[1]}, numbers[2], numbers[3]};
}

Bytes encode(std::span<const std::uint64_t> numbers) {
    const auto bytes = std::as_bytes(numbers);
    return {bytes.begin(), bytes.end()};
}

Result<std::vector<std::uint64_t>> parse_numbers(std::span<const std::byte> bytes) {
    if (bytes.size() % 8 != 0) return fail(Kind::corrupt, "{} bytes of numbers", bytes.size());
    std::vector<std::uint64_t> numbers;
    for (ByteReader reader{bytes}; !reader.rest().empty();)
        numbers.push_back(TRY(reader.take<std::uint64_t>()));
    return numbers;
}

}  // namespace sheaf::replica
