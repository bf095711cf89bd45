"""The bones of Khronos' CesiumMan, whose names are those of no program."""

TORSO, ARM, LEG = "Skeleton_torso_joint", "Skeleton_arm_joint", "leg_joint"
BONES = {
    "hips": f"{TORSO}_1",
    "spine": f"{TORSO}_2",
    "chest": "torso_joint_3",
    "neck": "Skeleton_neck_joint_1",
    "head": "Skeleton_neck_joint_2",
    **{f"left_{b}": f"{ARM}_L__{k}_" for b, k in (("upper_arm", 4), ("forearm", 3), ("hand", 2))},
    "right_upper_arm": f"{ARM}_R",
    "right_forearm": f"{ARM}_R__2_",
    "right_hand": f"{ARM}_R__3_",
    **{
        f"{side}_{bone}": f"{LEG}_{side[0].upper()}_{k}"
        for side in ("left", "right")
        for bone, k in (("thigh", 1), ("shin", 2), ("foot", 3))
    },
}
MAP = "\n".join(f'{limb} = "{bone}"' for limb, bone in BONES.items())
"""What the map file beside it holds."""
