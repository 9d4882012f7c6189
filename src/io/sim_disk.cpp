#include "io/sim_disk.h"

#include <fcntl.h>

#include <algorithm>
#include <bit>
#include <cerrno>

namespace sheaf::io {

namespace {

std::uint64_t length_of(const Request& request) {
    auto length = std::uint64_t{0};
    for (const auto& buffer : request.buffers()) length += buffer.iov_len;
    return length;
}

std::vector<std::byte> gather(const Request& request) {
    auto bytes = std::vector<std::byte>{};
    for (const auto& buffer : request.buffers()) {
        const auto* start = static_cast<const std::byte*>(buffer.iov_base);
        bytes.insert(bytes.end(), start, start + buffer.iov_len);
    }
    return bytes;
}

void scatter(const Request& request, std::span<const std::byte> bytes) {
    for (const auto& buffer : request.buffers()) {
        const auto length = std::min(bytes.size(), buffer.iov_len);
        std::ranges::copy(bytes.first(length), static_cast<std::byte*>(buffer.iov_base));
        bytes = bytes.subspan(length);
    }
}

// Whether a transfer past the page cache could be this one.
bool made_of_sectors(const Request& request) {
    auto bits = request.offset;
    for (const auto& buffer : request.buffers())
        bits |= std::bit_cast<std::uintptr_t>(buffer.iov_base) | buffer.iov_len;
    return bits % SimDisk::sector_size == 0;
}

}  // namespace

SimDisk::SimDisk(std::uint64_t size, std::uint64_t seed, const Faults& faults)
    : faults_(faults),
      random_(seed),
      visible_(size),
      stable_(size),
      capacity_(size),
      stable_size_(size) {}

SimDisk::Ticket SimDisk::begin(const Request& request) {
    in_flight_.emplace(++last_ticket_, InFlight{request, landed_, visible_.size()});
    return last_ticket_;
}

int SimDisk::finish(Ticket ticket) {
    const auto [request, began, size] = in_flight_.extract(ticket).mapped();
    if (!powered_) return -EIO;
    if (fails(request)) {
        land_partly(request);
        return -EIO;
    }
    switch (request.code) {
        case Request::Code::read: return read(request);
        case Request::Code::write: return write(request);
        case Request::Code::fallocate: return zero(request);
        case Request::Code::fdatasync: make_stable(began, size); return 0;
        default: return -EOPNOTSUPP;
    }
}

bool SimDisk::fails(const Request& request) {
    constexpr std::uint64_t start = 8192;
    if (random_.chance(faults_.error)) return true;
    if (request.code == Request::Code::read && faults_.read_error > 0)
        return random_.chance(faults_.read_error);
    return request.code == Request::Code::write && request.offset < start &&
           random_.chance(faults_.error_at_start);
}

void SimDisk::abandon(Ticket ticket) {
    const auto entry = in_flight_.extract(ticket);
    if (powered_) land_partly(entry.mapped().request);
}

std::uint64_t SimDisk::draw_length(std::uint64_t offset, std::uint64_t wanted) {
    const auto length = std::min(wanted, visible_.size() - std::min(offset, visible_.size()));
    if (length <= sector_size || !random_.chance(faults_.short_transfer)) return length;
    return sector_size * (1 + random_.below((length - 1) / sector_size));
}

int SimDisk::read(const Request& request) {
    if (direct_ && !made_of_sectors(request)) return -EINVAL;
    const auto length = draw_length(request.offset, length_of(request));
    if (length > 0) scatter(request, std::span{visible_}.subspan(request.offset, length));
    return static_cast<int>(length);
}

bool SimDisk::grow(std::uint64_t size) {
    if (size <= visible_.size()) return true;
    if (size > capacity_) return false;
    visible_.resize(size);
    stable_.resize(size);
    return true;
}

int SimDisk::write(const Request& request) {
    if (direct_ && !made_of_sectors(request)) return -EINVAL;
    const auto bytes = gather(request);
    grow(std::min(request.offset + bytes.size(), capacity_));
    const auto length = draw_length(request.offset, bytes.size());
    if (length == 0) return bytes.empty() ? 0 : -ENOSPC;
    auto offset = request.offset;
    if (random_.chance(faults_.lost)) {
        ++broken_writes_;
        return static_cast<int>(length);
    }
    if (random_.chance(faults_.misdirected) && length < visible_.size()) {
        ++broken_writes_;
        offset = random_.below((visible_.size() - length) / sector_size + 1) * sector_size;
    }
    land(offset, std::span{bytes}.first(length), Extent::whole);
    return static_cast<int>(length);
}

void SimDisk::set_content(std::vector<std::byte> content) {
    unstable_.clear();
    stable_size_ = content.size();
    capacity_ = std::max(capacity_, content.size());
    visible_ = content;
    stable_ = std::move(content);
}

void SimDisk::flip_bit(std::uint64_t byte, unsigned bit) {
    const auto mask = std::byte{1} << bit;
    visible_.at(byte) ^= mask;
    stable_.at(byte) ^= mask;
    const auto versions = unstable_.find(byte / sector_size);
    if (versions == unstable_.end()) return;
    for (auto& version : versions->second) version.content.at(byte % sector_size) ^= mask;
}

int SimDisk::zero(const Request& request) {
    const auto mode = static_cast<int>(request.mode);
    if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
        return -EOPNOTSUPP;
    if (request.length == 0) return -EINVAL;
    if (request.offset > capacity_ || request.length > capacity_ - request.offset) return -ENOSPC;
    const auto end = request.offset + request.length;
    if (!(mode & FALLOC_FL_KEEP_SIZE)) grow(end);
    if (!(mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))) return 0;
    const auto last = std::min(end, visible_.size());
    if (request.offset >= last) return 0;
    const auto zeros = std::vector<std::byte>(last - request.offset);
    land(request.offset, zeros, Extent::whole);
    return 0;
}

// Each sector that is reached becomes visible and a candidate for what survives.
void SimDisk::land(std::uint64_t offset, std::span<const std::byte> bytes, Extent extent) {
    ++landed_;
    while (!bytes.empty()) {
        const auto sector = offset / sector_size;
        const auto within = offset % sector_size;
        const auto length = std::min(bytes.size(), sector_size - within);
        if (extent == Extent::whole || random_.chance(0.5)) {
            const auto visible = std::span{visible_}.subspan(sector * sector_size, sector_size);
            std::ranges::copy(bytes.first(length), visible.begin() + within);
            auto& version = unstable_[sector].emplace_back();
            version.landed = landed_;
            std::ranges::copy(visible, version.content.begin());
        }
        offset += length;
        bytes = bytes.subspan(length);
    }
}

void SimDisk::land_partly(const Request& request) {
    if (request.code != Request::Code::write || request.offset >= visible_.size()) return;
    const auto bytes = gather(request);
    const auto length = std::min(bytes.size(), visible_.size() - request.offset);
    land(request.offset, std::span{bytes}.first(length), Extent::any_sectors);
}

void SimDisk::make_stable(std::uint64_t until, std::uint64_t size) {
    stable_size_ = std::max(stable_size_, size);
    for (auto at = unstable_.begin(); at != unstable_.end();) {
        auto& [sector, versions] = *at;
        const auto later = std::ranges::find_if(
            versions, [until](const Version& version) { return version.landed > until; });
        if (later != versions.begin())
            std::ranges::copy(std::prev(later)->content,
                              stable_.begin() + static_cast<std::ptrdiff_t>(sector * sector_size));
        versions.erase(versions.begin(), later);
        at = versions.empty() ? unstable_.erase(at) : std::next(at);
    }
}

void SimDisk::power_cut() {
    for (const auto& [ticket, entry] : in_flight_) land_partly(entry.request);
    for (const auto& [sector, versions] : unstable_) {
        const auto survivor = random_.below(versions.size() + 1);
        if (survivor == versions.size()) continue;  // the stable content
        std::ranges::copy(versions.at(survivor).content,
                          stable_.begin() + static_cast<std::ptrdiff_t>(sector * sector_size));
    }
    unstable_.clear();
    if (random_.chance(0.5)) stable_.resize(stable_size_);
    stable_size_ = stable_.size();
    visible_ = stable_;
    powered_ = false;
}

}  // namespace sheaf::io
