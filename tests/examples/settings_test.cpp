#include <station/settings.hpp>

#include <gmock/gmock.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace station {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The words behind the program's name.
std::optional<WrongSetting> read(std::initializer_list<const char*> words, Settings& settings) {
    std::vector<const char*> all{"example"};
    all.insert(all.end(), words);
    return read_settings(static_cast<int>(all.size()), all.data(), settings);
}

TEST(Settings, of_every_kind_are_read) {
    Settings settings;
    EXPECT_FALSE(read({"id=65535", "cluster=plant", "address=10.9.0.13:7000", "netmask=255.255.0.0", "gateway=10.9.0.1",
                       "seeds=10.9.0.1:7000,10.9.0.2:7000", "journal=a=b", "entropy=1f", "loss_ppm=1000000"},
                      settings));
    EXPECT_EQ(settings.id, 65535);
    EXPECT_EQ(settings.cluster, "plant");
    EXPECT_EQ(settings.address, "10.9.0.13:7000");
    EXPECT_EQ(settings.netmask, "255.255.0.0");
    EXPECT_EQ(settings.gateway, "10.9.0.1");
    EXPECT_THAT(settings.seed_addresses(), ElementsAre("10.9.0.1:7000", "10.9.0.2:7000"));
    EXPECT_EQ(settings.journal, "a=b");
    EXPECT_EQ(settings.loss_ppm, 1'000'000U);
}

TEST(Settings, have_defaults_but_for_id_and_address) {
    Settings settings;
    EXPECT_FALSE(read({"address=10.9.0.13:7000", "id=1"}, settings));
    EXPECT_EQ(settings.cluster, "dunlin");
    EXPECT_EQ(settings.netmask, "255.255.255.0");
    EXPECT_EQ(settings.gateway, "");
    EXPECT_TRUE(settings.seed_addresses().empty());
    EXPECT_EQ(settings.loss_ppm, 0U);

    for (const char* alone : {"id=1", "address=10.9.0.13:7000"}) {
        const auto missing = read({alone}, settings = {});
        ASSERT_TRUE(missing) << alone;
        EXPECT_THAT(std::string(missing->reason), HasSubstr("is missing"));
    }
}

TEST(Settings, that_are_wrong_are_named) {
    const std::string long_name = "cluster=" + std::string(33, 'c');
    const std::string long_seed = "seeds=" + std::string(60, '1') + ":7000";
    for (const char* wrong : {"id=0",
                              "id=65536",
                              "id=",
                              "id=1x",
                              "id=-1",
                              "cluster=",
                              long_name.c_str(),
                              "address=",
                              "address=7",
                              "seeds=",
                              "seeds=a:1,",
                              "seeds=,a:1",
                              "seeds=a",
                              long_seed.c_str(),
                              "journal=",
                              "netmask=",
                              "gateway=",
                              "loss_ppm=1000001",
                              "loss_ppm=0.5",
                              "entropy=",
                              "seeds=a:1,a:2,a:3,a:4,a:5,a:6,a:7,a:8,a:9",
                              "idd=1",
                              "id",
                              "=1",
                              ""}) {
        Settings settings;
        const auto found = read({"id=1", "address=10.9.0.13:7000", wrong}, settings);
        ASSERT_TRUE(found) << wrong;
        EXPECT_EQ(found->word, wrong);
        EXPECT_FALSE(found->reason.empty());
    }
}

TEST(Settings, name_eight_seeds_at_most) {
    Settings settings;
    EXPECT_FALSE(read({"id=1", "address=a:1", "seeds=a:1,a:2,a:3,a:4,a:5,a:6,a:7,a:8"}, settings));
    EXPECT_EQ(settings.seed_addresses().size(), kSeedsMax);
}

}  // namespace
}  // namespace station
