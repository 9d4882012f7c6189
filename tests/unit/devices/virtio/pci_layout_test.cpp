#include "devices/virtio/pci_layout.h"

#include <vector>

#include <gtest/gtest.h>

#include "devices/pci/msix.h"

namespace sheaf::virtio::pci_layout {
namespace {

class LayoutTest : public testing::Test {
  protected:
    template <class T>
    T get(unsigned offset) const {
        return space.get<T>(offset);
    }
    // All capabilities in the order of the chain.
    std::vector<unsigned> walk() const {
        std::vector<unsigned> all;
        for (unsigned at = get<std::uint8_t>(pci::config::capabilities); at != 0 && all.size() < 16;
             at = get<std::uint8_t>(at + 1))
            all.push_back(at);
        return all;
    }

    pci::ConfigSpace space{{}};
    const Places places = add_capabilities(space, 5);
};

TEST_F(LayoutTest, TellsTheDriverOfEveryStructureOnce) {
    struct Expected {
        Structure kind;
        std::uint8_t length;
        std::uint32_t offset;
        std::uint32_t size;
    };
    constexpr Expected structures[] = {{Structure::common, 16, common, area_size},
                                       {Structure::notify, 20, notify, area_size},
                                       {Structure::isr, 16, isr, area_size},
                                       {Structure::device, 16, device, area_size},
                                       {Structure::access, 20, 0, 0}};
    const auto all = walk();
    ASSERT_EQ(all.size(), std::size(structures) + 1);
    for (std::size_t i = 0; i < std::size(structures); ++i) {
        const auto at = all[i];
        const auto& expected = structures[i];
        EXPECT_EQ(get<std::uint8_t>(at), vendor_capability);
        EXPECT_EQ(get<std::uint8_t>(at + 2), expected.length);
        EXPECT_EQ(get<std::uint8_t>(at + 3), static_cast<std::uint8_t>(expected.kind));
        EXPECT_EQ(get<std::uint8_t>(at + 4), registers_bar);
        EXPECT_EQ(get<std::uint32_t>(at + 8), expected.offset);
        EXPECT_EQ(get<std::uint32_t>(at + 12), expected.size);
    }
    EXPECT_EQ(get<std::uint32_t>(all[1] + 16), notify_multiplier);
    EXPECT_EQ(places.access, all[4]);
}

TEST_F(LayoutTest, StructuresLieInTheBarAndApart) {
    std::vector<std::uint32_t> starts = {common, isr, device, notify};
    std::ranges::sort(starts);
    for (std::size_t i = 0; i + 1 < starts.size(); ++i)
        EXPECT_GE(starts[i + 1] - starts[i], area_size);
    EXPECT_LE(starts.back() + area_size, registers_size);
}

TEST_F(LayoutTest, MsixNamesItsTableAndItsPendingBits) {
    const auto at = walk().back();
    EXPECT_EQ(get<std::uint8_t>(at), msix_capability);
    EXPECT_EQ(places.msix_control, at + 2);
    EXPECT_EQ(get<std::uint16_t>(at + 2), 4) << "the table's length less one";
    EXPECT_EQ(get<std::uint32_t>(at + 4), pci::Msix::table_offset | msix_bar);
    EXPECT_EQ(get<std::uint32_t>(at + 8), pci::Msix::pending_offset | msix_bar);
}

TEST_F(LayoutTest, AGuestWritesTheWindowAndTheControlAlone) {
    for (unsigned at = pci::config::first_capability; at < pci::ConfigSpace::size; ++at) {
        auto copy = space;
        copy.write(at, bytes_of(std::uint8_t{0xff}));
        const auto ones = copy.get<std::uint8_t>(at);
        copy.write(at, bytes_of(std::uint8_t{0}));
        const auto changes = ones ^ copy.get<std::uint8_t>(at);
        auto expected = 0;
        const auto in_window = at - places.access;
        if (in_window == access_bar || (in_window >= access_offset && in_window < access_data))
            expected = 0xff;
        if (at == places.msix_control + 1) expected = 0xc0;
        EXPECT_EQ(changes, expected) << at;
    }
}

}  // namespace
}  // namespace sheaf::virtio::pci_layout
