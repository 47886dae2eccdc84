"""Units of measure. Only read as units after a number or a slash; case matters where the symbol's does."""

from __future__ import annotations

import re

UNITS: dict[str, str] = {
    # length, area, volume
    "mm": "mi li mét", "cm": "xăng ti mét", "dm": "đề xi mét", "m": "mét", "km": "ki lô mét", "nm": "na nô mét",
    "µm": "mi crô mét", "μm": "mi crô mét", "inch": "in",
    "mm2": "mi li mét vuông", "cm2": "xăng ti mét vuông", "dm2": "đề xi mét vuông", "m2": "mét vuông",
    "km2": "ki lô mét vuông", "ha": "héc ta", "Ha": "héc ta", "HA": "héc ta",
    "mm3": "mi li mét khối", "cm3": "xăng ti mét khối", "dm3": "đề xi mét khối", "m3": "mét khối",
    "km3": "ki lô mét khối",
    "ml": "mi li lít", "mL": "mi li lít", "cl": "xăng ti lít", "dl": "đề xi lít", "dL": "đề xi lít",
    "l": "lít", "L": "lít", "lít": "lít", "cc": "xê xê",
    # mass
    "µg": "mi crô gam", "μg": "mi crô gam", "mcg": "mi crô gam", "mg": "mi li gam", "g": "gam", "gr": "gam",
    "kg": "ki lô gam", "Kg": "ki lô gam", "KG": "ki lô gam", "tấn": "tấn", "tạ": "tạ", "yến": "yến",
    # time
    "s": "giây", "ms": "mi li giây", "h": "giờ", "giờ": "giờ", "phút": "phút", "giây": "giây",
    # electricity, power, signals
    "V": "vôn", "kV": "ki lô vôn", "KV": "ki lô vôn", "kVA": "ki lô vôn ampe", "KVA": "ki lô vôn ampe",
    "MVA": "mê ga vôn ampe", "mA": "mi li ampe", "mAh": "mi li ampe giờ",
    "W": "oát", "kW": "ki lô oát", "KW": "ki lô oát", "MW": "mê ga oát", "GW": "gi ga oát",
    "Wh": "oát giờ", "kWh": "ki lô oát giờ", "KWh": "ki lô oát giờ", "KWH": "ki lô oát giờ", "MWh": "mê ga oát giờ",
    "kWp": "ki lô oát đỉnh", "MWp": "mê ga oát đỉnh", "BTU": "bê tê u", "HP": "mã lực", "CV": "mã lực",
    "Hz": "héc", "kHz": "ki lô héc", "KHz": "ki lô héc", "MHz": "mê ga héc", "GHz": "gi ga héc",
    "dB": "đề xi ben", "dBA": "đề xi ben a", "Ω": "ôm",
    "KB": "ki lô bai", "kB": "ki lô bai", "MB": "mê ga bai", "GB": "gi ga bai", "TB": "tê ra bai",
    "kbps": "ki lô bít trên giây", "Mbps": "mê ga bít trên giây", "Gbps": "gi ga bít trên giây",
    "px": "pích xeo", "MP": "mê ga pích xeo",
    # pressure, energy, medicine
    "Pa": "pát xcan", "hPa": "héc tô pát xcan", "kPa": "ki lô pát xcan", "MPa": "mê ga pát xcan",
    "mb": "mi li ba", "mbar": "mi li ba", "bar": "ba", "atm": "át mốt phe", "mmHg": "mi li mét thủy ngân",
    "kcal": "ki lô ca lo", "Kcal": "ki lô ca lo", "cal": "ca lo", "J": "giun", "kJ": "ki lô giun",
    "IU": "đơn vị quốc tế", "UI": "đơn vị quốc tế", "mmol": "mi li mon", "ppm": "phần triệu", "ppb": "phần tỷ",
    "Bq": "béc cơ ren", "mSv": "mi li xi vớt", "lux": "lúc", "Richter": "rích te",
    # money
    "đ": "đồng", "Đ": "đồng", "đồng": "đồng", "vnđ": "đồng", "VNĐ": "đồng", "VND": "đồng", "vnd": "đồng", "₫": "đồng",
    "k": "nghìn", "K": "nghìn", "tr": "triệu", "trđ": "triệu đồng", "USD": "đô la Mỹ", "usd": "đô la Mỹ",
    "$": "đô la", "EUR": "ơ rô", "€": "ơ rô", "£": "bảng Anh", "GBP": "bảng Anh", "JPY": "yên", "¥": "yên",
    "CNY": "nhân dân tệ", "NDT": "nhân dân tệ",
    # parts, angles, temperature
    "%": "phần trăm", "‰": "phần nghìn", "°": "độ", "º": "độ", "độ": "độ",
    "°C": "độ xê", "ºC": "độ xê", "oC": "độ xê", "°c": "độ xê", "0C": "độ xê", "độ C": "độ xê", "độ c": "độ xê",
    "°F": "độ ép", "ºF": "độ ép", "oF": "độ ép", "độ F": "độ ép", "°K": "độ ca",
    "°N": "độ vĩ Bắc", "°S": "độ vĩ Nam", "°E": "độ kinh Đông", "°W": "độ kinh Tây",
    "°B": "độ vĩ Bắc", "°Đ": "độ kinh Đông",
}  # fmt: skip

# After a slash these say "one X" ("đồng/kg": đồng một ki lô gam); other units say "trên" ("km/h": trên giờ).
PER_ONE = frozenset(
    re.findall(
        r"\S+",
        """
    người hộ khẩu ngày đêm tuần tháng quý năm vụ lần lượt đợt giờ buổi ca kỳ tấn tạ yến kg Kg KG ha Ha HA lít
    l L m2 m3 km sào mẫu con cái chiếc bộ suất liều mũi hồ sơ trẻ em cháu học sinh viên phòng thôn xã huyện
    tỉnh thành phố đơn vị cơ sở đoàn kWh kW số chữ khối cây căn lô thửa trang phút giây xe chuyến vé chỗ ghế
    giường bao thùng hộp chai gói bữa cân công
    """,
    )
)
